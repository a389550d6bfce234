"""A local MailUp, for tests, for the example project and for working offline. Imports nothing else of this package.

One `Sandbox` can be reached in three ways: as a WSGI server on a real socket (`server`), by requests without leaving
the process (`adapter`), and by `django_mailup.testing`, which puts it in MailUp's place in tests.
"""

from .accounts import Account, MailingList, User
from .app import Sandbox
from .errors import APIError, OAuthError
from .hooks import Hooks
from .options import Options

__all__ = ["APIError", "Account", "Hooks", "MailingList", "OAuthError", "Options", "Sandbox", "User"]
