"""What happened to a connection, told after it was saved, in the thread that asked for it.

Sent by `send_robust`: a receiver that fails is logged and undoes nothing. `sender` is always `Token`. Arguments of all:
`token` (the row, re-read; after a disconnection an unsaved copy without secrets), `user` (None for the site's own
connection), `registration`, `request` (None outside a view), `created` and `error` (None where they say nothing).
"""

from __future__ import annotations

from django.dispatch import Signal

account_connected = Signal()
"""A user, or the site, connected or reconnected an account. `created`: whether the row is new."""

token_refreshed = Signal()
"""A new pair was stored."""

token_refresh_failed = Signal()
"""A renewal failed and will be tried again by itself. `error`: the MailUpError."""

reauthorization_required = Signal()
"""MailUp refused the refresh token: the user must connect again. `error`: the MailUpError."""

account_disconnected = Signal()
"""The row was deleted. MailUp has no call that withdraws consent: the user does that in its console."""
