"""A local MailUp: for the example project, for tests and for working offline. Imports nothing else of this package.

Three doors to one `Sandbox`: a WSGI server on a real socket (`server`), an adapter for requests that never leaves
the process (`adapter`), and the pytest fixtures of `django_mailup.testing`.
"""

from .app import Sandbox
from .options import Options
from .state import Account, MailingList, User

__all__ = ["Account", "MailingList", "Options", "Sandbox", "User"]
