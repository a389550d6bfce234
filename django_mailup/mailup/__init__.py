"""What MailUp is: its OAuth 2 server and its REST API, in pure Python. Usable without Django."""

from .client import MailUpClient, TokenSource
from .endpoints import Endpoints
from .grants import AuthorizationCode, Grant, Password, RefreshToken
from .oauth import OAuthClient
from .resources.account import AccountDetails, AccountInfo
from .resources.lists import Group, MailingList
from .tokens import AccessToken, TokenSet
from .transport import Transport

__all__ = [
    "AccessToken",
    "AccountDetails",
    "AccountInfo",
    "AuthorizationCode",
    "Endpoints",
    "Grant",
    "Group",
    "MailUpClient",
    "MailingList",
    "OAuthClient",
    "Password",
    "RefreshToken",
    "TokenSet",
    "TokenSource",
    "Transport",
]
