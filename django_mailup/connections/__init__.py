"""Connections of users and of the site to MailUp accounts.

authorization  begin, complete, connect_with_password, disconnect
clients        client_for and its relatives
identity       whose MailUp account a connection is; merging two rows of one account
state          OAuth's `state`: issued, redeemed once
status         how registrations and connections are, for operators
"""
