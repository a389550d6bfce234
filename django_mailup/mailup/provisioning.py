"""MailUp's public service: trial accounts for a site's customers. It takes the client id and secret instead of a token.

MailUp enables it for a client on request.
"""

from __future__ import annotations

from typing import Any, Final

from requests.adapters import BaseAdapter

from ..frames import forgets_locals
from ..secret import Secret
from . import arguments, classify
from .endpoints import Endpoints
from .flow import Answer
from .operations import DOCUMENTED, Operation
from .records import Record, key
from .transport import Timeout, Transport, basic_auth


class Trial(Record):
    """An activation of a trial account that was begun, for `trial_status`."""

    id: str = key("Id")
    hash: str = key("Hash", repr=False)


class TrialStatus(Record):
    """The status of an activation. Code 2: done; 5 and 7: in progress; 3, 4 and 6: ask MailUp's support."""

    code: int = key("Code")
    description: str = key("Description")

    @property
    def is_done(self) -> bool:
        """Whether the account is ready."""
        return self.code == 2


ACTIVATE: Final = Operation("provisioning.activate_trial", "POST", "/Console/TrialActivation", DOCUMENTED, Trial)
STATUS: Final = Operation(
    "provisioning.trial_status", "POST", "/Console/TrialActivationStatus", DOCUMENTED, TrialStatus
)  # fmt: skip


class Provisioning:
    """The operations on trial accounts.

    Args:
        client_id, client_secret: as shown in MailUp's console.
        endpoints: MailUp's URLs; by default those in production.
        timeout: seconds to connect, and for each read.
        adapter: an adapter of requests that replaces the network, such as the sandbox's.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        endpoints: Endpoints | None = None,
        timeout: Timeout = (30.0, 30.0),
        adapter: BaseAdapter | None = None,
    ) -> None:
        self._endpoints = endpoints or Endpoints()
        self._auth = basic_auth(client_id, client_secret)
        self._client_secret = Secret(client_secret)
        self._transport = Transport(timeout=timeout, adapter=adapter)

    def activate_trial(
        self, *, name: str, company: str, email: str, phone: str, language: str = "IT", ip_address: str,
        is_usa: bool = False, newsletter: bool = False,
    ) -> Trial:  # fmt: skip
        """Begin to activate a trial account for a customer. `POST /Console/TrialActivation`.

        Args:
            language: `EN`, `ES` or `IT`.
            ip_address: the customer's IP address.

        Raises:
            ValueError: an argument is empty, the language is another one, or the address is not an e-mail address.
            APIError: MailUp refuses, such as because the service isn't enabled for the client.
        """
        if language not in ("EN", "ES", "IT"):
            raise ValueError(f"language must be EN, ES or IT, not {language!r}.")
        body = {
            "NameAndSurname": arguments.text("name", name),
            "Company": arguments.text("company", company),
            "Email": arguments.email("email", email),
            "PhoneNumber": arguments.text("phone", phone),
            "Language": language,
            "IpAddress": arguments.text("ip_address", ip_address),
            "IsUSA": is_usa,
            "RegisterToNewsletter": newsletter,
        }
        return Trial.parse(self._post(ACTIVATE, body))

    def trial_status(self, *, trial: Trial) -> TrialStatus:
        """Return the status of an activation. `POST /Console/TrialActivationStatus`."""
        return TrialStatus.parse(self._post(STATUS, {"Id": trial.id, "Hash": trial.hash}))

    @forgets_locals
    def _post(self, operation: Operation[Any], body: Any) -> Any:
        url = self._endpoints.public(operation.fill_path())
        response = self._transport.send("POST", url, self._auth, json=body)
        if response.status_code != 200:
            raise classify.api_error(response, secrets=[self._client_secret])
        return Answer(classify.decode_text(response), 200, response.headers).body
