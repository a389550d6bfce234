"""The functions for site code: connect accounts; use, renew and end connections.

    client_for, client_for_site                             a MailUp client of a user or of the site itself
    connection_of, client_of                                a user's connection, and the client of a connection
    begin, begin_again, complete                            connect an account by MailUp's page
    connect_with_password, disconnect                       connect by password, disconnect
    refresh, refresh_due, refresh_many, hand_out_due        renew one token, all that are due, a batch; make batches
    import_csv                                              import the recipients of a CSV file
    status                                                  the state of registrations and connections
    register, find_registration, clear_refusal              client registrations
    clear_expired_requests                                  delete authorizations that nobody finished
    rotate_keys, keys_in_use                                encrypt all with the newest key; rows per key
    rows_that_need_another_key                              how many aren't encrypted with the newest key

A function is loaded when it is first used, so that importing this module loads none of the modules behind it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .connections.authorization import connect_with_password as connect_with_password
    from .connections.authorization import disconnect as disconnect
    from .connections.begin import begin as begin
    from .connections.begin import begin_again as begin_again
    from .connections.callback import complete as complete
    from .connections.clients import client_for as client_for
    from .connections.clients import client_for_site as client_for_site
    from .connections.clients import client_of as client_of
    from .connections.clients import connection_of as connection_of
    from .connections.state import clear_expired_requests as clear_expired_requests
    from .connections.status import status as status
    from .csv_import.run import import_csv as import_csv
    from .registrations.store import clear_refusal as clear_refusal
    from .registrations.store import find as find_registration
    from .registrations.store import register as register
    from .renewal.on_demand import refresh as refresh
    from .renewal.periodic import hand_out_due as hand_out_due
    from .renewal.periodic import refresh_due as refresh_due
    from .renewal.periodic import refresh_many as refresh_many
    from .vault.rotation import keys_in_use as keys_in_use
    from .vault.rotation import rotate_keys as rotate_keys
    from .vault.rotation import rows_that_need_another_key as rows_that_need_another_key

_HOMES: Final = {
    "begin": "connections.begin.begin",
    "begin_again": "connections.begin.begin_again",
    "clear_expired_requests": "connections.state.clear_expired_requests",
    "clear_refusal": "registrations.store.clear_refusal",
    "client_for": "connections.clients.client_for",
    "client_for_site": "connections.clients.client_for_site",
    "client_of": "connections.clients.client_of",
    "complete": "connections.callback.complete",
    "connect_with_password": "connections.authorization.connect_with_password",
    "connection_of": "connections.clients.connection_of",
    "disconnect": "connections.authorization.disconnect",
    "find_registration": "registrations.store.find",
    "hand_out_due": "renewal.periodic.hand_out_due",
    "import_csv": "csv_import.run.import_csv",
    "keys_in_use": "vault.rotation.keys_in_use",
    "refresh": "renewal.on_demand.refresh",
    "refresh_due": "renewal.periodic.refresh_due",
    "refresh_many": "renewal.periodic.refresh_many",
    "register": "registrations.store.register",
    "rotate_keys": "vault.rotation.rotate_keys",
    "rows_that_need_another_key": "vault.rotation.rows_that_need_another_key",
    "status": "connections.status.status",
}

__all__ = [
    "begin",
    "begin_again",
    "clear_expired_requests",
    "clear_refusal",
    "client_for",
    "client_for_site",
    "client_of",
    "complete",
    "connect_with_password",
    "connection_of",
    "disconnect",
    "find_registration",
    "hand_out_due",
    "import_csv",
    "keys_in_use",
    "refresh",
    "refresh_due",
    "refresh_many",
    "register",
    "rotate_keys",
    "rows_that_need_another_key",
    "status",
]


def __getattr__(name: str) -> Any:
    """Load a function from its module (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].rpartition(".")
    found = getattr(import_module(f".{module}", __package__), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
