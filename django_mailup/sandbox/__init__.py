"""A local MailUp: for the example project, for tests and for working offline. Imports nothing else of this package.

Three doors to one `Sandbox`: a WSGI server on a real socket (`server`), an adapter for requests that never leaves
the process (`adapter`), and `django_mailup.testing`, which puts it in MailUp's place in tests.
"""

from .app import Sandbox
from .options import Options
from .state import Account, MailingList, User

__all__ = ["Account", "MailingList", "Options", "Sandbox", "User"]
