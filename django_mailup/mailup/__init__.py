"""A client of MailUp: of its OAuth 2 server and its REST API, in pure Python. Usable without Django."""

from .client import MailUpClient, Throttle, TokenSource
from .endpoints import Endpoints
from .expressions import Expression, Field
from .flow import CallOptions
from .grants import AuthorizationCode, Grant, Password, RefreshToken
from .oauth import OAuthClient
from .operations import Operation, Source
from .page_cursor import Page
from .paging import Paged
from .provisioning import Provisioning, Trial, TrialStatus
from .records import Record
from .resources.account import AccountDetails, AccountInfo
from .resources.attachments import Attachment
from .resources.fields import PersonalField
from .resources.groups import Group
from .resources.imports import Import, ImportDetails, ImportJob
from .resources.lists import Country, ListDetails, MailingList, Sender, TimeZone
from .resources.messages import Message, MessageDetails, SendRecord
from .resources.new_recipients import NewRecipient
from .resources.recipients import OptIn, Recipient
from .resources.sendings import Sending, Sent
from .resources.sms import SmsDelivery, SmsOptIn, TextMessage
from .resources.smtp_users import Priority, SmtpUser
from .resources.statistics import LinkCount, MessageCount, RecipientCount
from .resources.tags import Tag
from .resources.templates import Template
from .resources.trusted_senders import TrustedSender
from .tokens import AccessToken, TokenSet
from .transport import Transport
from .with_response import Response

__all__ = [
    "AccessToken",
    "AccountDetails",
    "AccountInfo",
    "Attachment",
    "AuthorizationCode",
    "CallOptions",
    "Country",
    "Endpoints",
    "Expression",
    "Field",
    "Grant",
    "Group",
    "Import",
    "ImportDetails",
    "ImportJob",
    "LinkCount",
    "ListDetails",
    "MailUpClient",
    "MailingList",
    "Message",
    "MessageCount",
    "MessageDetails",
    "NewRecipient",
    "OAuthClient",
    "Operation",
    "OptIn",
    "Page",
    "Paged",
    "Password",
    "PersonalField",
    "Priority",
    "Provisioning",
    "Recipient",
    "RecipientCount",
    "Record",
    "RefreshToken",
    "Response",
    "SendRecord",
    "Sender",
    "Sending",
    "Sent",
    "SmsDelivery",
    "SmsOptIn",
    "SmtpUser",
    "Source",
    "Tag",
    "Template",
    "TextMessage",
    "Throttle",
    "TimeZone",
    "TokenSet",
    "TokenSource",
    "Transport",
    "Trial",
    "TrialStatus",
    "TrustedSender",
]
