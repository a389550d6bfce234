"""Options: how a sandbox behaves where MailUp's documents are silent or unclear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a sandbox behaves. The defaults are what MailUp's documents say or suggest. Durations are in seconds."""

    echo_state: bool = True
    """Whether the redirect to the client has the parameter `state`. Not documented."""
    redirect_uri: str = "any"
    """Which redirect URIs are accepted: `any`; `same`: the token request must repeat the one of the login page;
    `registered`: the login page accepts only the one that the client has registered."""
    pkce: str = "ignored"
    """What happens to PKCE (RFC 7636): `ignored`, since MailUp's documents do not mention it; `required`:
    the method S256 is insisted on and checked; `refused`: requests with its parameters are errors."""
    code_lifetime: float = 60.0
    """How long an authorization code is valid."""
    code_single_use: bool = True
    """Whether a code can be exchanged only once."""
    access_lifetime: float = 3600.0
    """How long an access token is valid: 3600 since October 2018, 900 before."""
    expires_in: str = "number"
    """How the answer gives the lifetime: as a `number`, as `text`, or not at all (`missing`)."""
    token_type: bool = False
    """Whether the answer has `token_type`. MailUp's documents show none."""
    rotate_refresh: bool = True
    """Whether a renewal gives a new refresh token."""
    refresh_reuse: str = "refused"
    """What happens to a refresh token that was used before: `refused`; `accepted`; `grace`: accepted for
    `grace_period`; `revokes`: refused, and all pairs of the same login are revoked."""
    grace_period: float = 30.0
    """How long a used refresh token is accepted, if `refresh_reuse` is `grace`."""
    refresh_lifetime: float = 30 * 86400.0
    """How long a refresh token is valid."""
    refresh_ends_access: bool = False
    """Whether a renewal makes the old access token invalid. MailUp documents that it stays valid until it expires."""
    token_by_get: bool = True
    """Whether the token endpoint answers GET."""
    client_authentication: str = "lenient"
    """`lenient`: client credentials in the body, the query or by HTTP Basic, and none needed for a code; `strict`: in
    the body or by HTTP Basic, but not both."""
    malformed_token_status: int = 400
    """The status of the answer to an unknown access token: 400 or 401."""
    error_shape: str = "oauth"
    """The form of the token endpoint's errors: `oauth` (`error`, `error_description`) or `mailup` (`ErrorCode` ...)."""
    error_body: str = "json"
    """The body of errors of the REST API: `json`, `html` or `empty`."""
    rate_limit: int = 5
    """How many calls a user may make of one operation within `rate_window`; 0 is no limit."""
    rate_window: float = 1.0
    retry_after: bool = False
    """Whether an answer with status 429 has the header Retry-After."""
    max_page_size: int = 1000
    """The largest number of rows on a page, whatever size is asked for."""
    page_size_told: str = "granted"
    """The PageSize of an answer: the size that is `granted`, or the one that was `asked` for. The second leaves nothing
    but a right total to tell a short page from the last one, so `unkind` doesn't set it."""
    matches: str = "whole"
    """What a text matches in the search for an address and with `==` in a filter: the `whole` value, or values of which
    it is a `part`. Not documented. Letter case always matters in filters; for the search see `addresses`."""
    totals: str = "right"
    """What TotalElementsCount says: the `right` number, `zero`, or a `low` or `high` one."""
    moving_rows: str = "none"
    """What happens to the rows while their pages are read: `none`; `in`: before each page after the first, one row more
    comes in at the beginning; `out`: one row more is gone from the beginning, for good. Not documented."""
    clock_error: float = 0.0
    """How much MailUp's clock is ahead, in the header Date and in all times; negative if it is behind."""
    dates: str = "documented"
    """The form of dates: `documented` (UTC, with Z or without a zone), or `offset`: the same time in another zone."""
    names: str = "documented"
    """The spelling of names in answers: `documented`, or `other_case`: with the first letter in the other case. OAuth's
    own names (`access_token`, `error` ...) are those of RFC 6749 in any case."""
    numbers: str = "number"
    """How answers write whole numbers: as a `number`, or as `text`; then texts that are documented to consist of
    digits, such as UID, are numbers."""
    updates: str = "replace"
    """What an update of a list, group, message or tag does with what its body leaves out: `replace`, which gives it its
    default, or `keep`. Not documented."""
    confirm_makes_pending: bool = False
    """Whether adding a subscribed person with ConfirmEmail makes them pending, as in MailUp's SOAP service. Not
    documented for REST."""
    addresses: str = "ignore_case"
    """How e-mail addresses are compared: `ignore_case` or `exact`. Not documented. If `exact`, two recipients may have
    addresses that differ only in letter case."""
    import_seconds: float = 0.5
    """How long an import takes."""
    single_import: bool = False
    """Whether an import is refused while another one runs, as MailUp's SOAP service does. Not documented for REST."""
    list_ready_after: float = 0.0
    """How long a new list answers 403. One published client waits for a minute."""
    provisioning: bool = True
    """Whether the client may activate trial accounts. MailUp allows it on request."""
    latency: float = 0.0
    """How long every answer of the REST API is delayed."""
    token_latency: float = 0.0
    """How long every answer of the token endpoint is delayed."""

    @classmethod
    def unkind(cls, **values: Any) -> Options:
        """Return options with which MailUp is as hard to read as it may be, and the given values.

        Totals are too low. Whoever wants `zero`, `high` or rows that vanish asks for them.
        """
        return replace(cls(**UNKIND), **values)

    def changed(self, values: Mapping[str, Any]) -> Options:
        """Return new options with some values changed. Text is converted to the type of the option.

        Raises:
            ValueError: there is no such option, or the value can't be converted.
        """
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        converted: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"there is no option {name!r}")
            kind = type(known[name])
            if kind is bool and isinstance(value, str):
                value = value.lower() in ("1", "true", "yes", "on")
            converted[name] = kind(value)
        return replace(self, **converted)


UNKIND: Final[Mapping[str, Any]] = {
    "addresses": "exact",
    "matches": "part",
    "totals": "low",
    "max_page_size": 7,
    "moving_rows": "in",
    "clock_error": -5400.0,
    "dates": "offset",
    "names": "other_case",
    "numbers": "text",
}
"""What `Options.unkind` sets."""
