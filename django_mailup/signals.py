"""Signals about connections.

They are sent after the change was saved, in the thread that made it, by `send_robust`: the exception of a receiver is
logged, and changes nothing. The owner of a connection is `token.user`, None if it is the site's own; its client
registration is `token.registration`.
"""

from __future__ import annotations

from django.dispatch import Signal

account_connected = Signal()
"""Sent when a user, or an administrator for the site, has connected an account or connected it again.

Arguments sent with this signal:
    sender: the class Token.
    token: the connection.
    request: the HttpRequest of MailUp's callback, or None if it was connected outside a view, such as by password.
    created: whether the connection is new.
"""

token_refreshed = Signal()
"""Sent when a new pair was stored.

Arguments sent with this signal:
    sender: the class Token.
    token: the connection, read from the database after the new pair was stored.
"""

token_refresh_failed = Signal()
"""Sent when a renewal failed that will be tried again by itself.

Arguments sent with this signal:
    sender: the class Token.
    token: the connection, read from the database after the failure was stored.
    error: the MailUpError.
"""

reauthorization_required = Signal()
"""Sent when MailUp refused the refresh token, so that the account must be connected again.

Arguments sent with this signal:
    sender: the class Token.
    token: the connection, read from the database after the failure was stored.
    error: the ReauthorizationRequired.
"""

account_disconnected = Signal()
"""Sent when a connection was deleted. MailUp has no call that withdraws consent: the user does that in its console.

Arguments sent with this signal:
    sender: the class Token.
    token: a copy of the deleted row, with its primary key but without the pair.
    request: the HttpRequest, or None if it was disconnected outside a view.
"""
