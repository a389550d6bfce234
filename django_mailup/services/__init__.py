"""Where Django's rows meet MailUp's protocol. Views, admin, tasks, commands and site code call in here, and only here.

client_for          an authenticated client for a user, one of their accounts, or the site
connect             begin, complete, with_password
disconnect          delete a connection
refresh             now: renew one token; access: a usable one
sweep               the periodic renewal
csv_import          recipients of a CSV file
health              how everything is
registrations       find, register
"""

from . import connect, csv_import, health, refresh, registrations, sweep
from .clients import SITE, client_for, client_of, connection_of
from .connect import disconnect

__all__ = [
    "SITE",
    "client_for",
    "client_of",
    "connect",
    "connection_of",
    "csv_import",
    "disconnect",
    "health",
    "refresh",
    "registrations",
    "sweep",
]
