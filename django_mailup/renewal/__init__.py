"""Renewing tokens so that no pair is lost.

on_demand       a usable access token for one caller: use it, renew it, or wait for whoever does
periodic        what is due: handed out in batches, renewed in batches
batch           renew several claimed tokens at once
attempt         one renewal of a claimed token: the only sender of refresh tokens
claims          which process may renew a row, and writing its outcome
schedule        when a pair is due, how long to back off, what a pair is as columns
single_flight   within a process one thread does the work and the others share its outcome
unseen          why a renewal's own connection doesn't see a row
own_connection  run a callable on a database connection of its own, apart from the caller's transaction
preparation     let that connection see what the caller's sees, such as one tenant's rows
stored_token    read a token's row, and say whether it can be used as it is
notify          send the signals
"""
