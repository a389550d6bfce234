"""Connections of users and of the site to MailUp accounts.

begin          begin, begin_again: where the browser has to go
callback       complete: from MailUp's answer to a connection
answer         what MailUp's redirect to the callback holds
state          OAuth's `state`: issued, redeemed once
state_form     where `state` travels: in the query, or in the path as well
authorization  connect_with_password, disconnect, and storing a new pair
clients        client_for and its relatives
identity       whose MailUp account a connection is; merging two rows of one account
status         how registrations and connections are, for operators
"""
