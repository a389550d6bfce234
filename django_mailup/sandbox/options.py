"""Everything about MailUp that nobody says, as switches. The defaults are what its documents say or suggest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How this MailUp behaves. Times are in seconds."""

    echo_state: bool = True
    """Whether the redirect back carries `state`. No document says."""
    redirect_uri: str = "any"
    """`any`; `same`: the token request must repeat the login page's; `registered`: exactly the client's own."""
    code_lifetime: float = 60.0
    code_single_use: bool = True
    access_lifetime: float = 3600.0
    """3600 since October 2018, 900 before."""
    expires_in: str = "number"
    """How the lifetime is told: `number`, `text` or `missing`."""
    token_type: bool = False
    """Whether `token_type` is in the answer. The documents show none."""
    rotate_refresh: bool = True
    """Whether a renewal brings a new refresh token."""
    refresh_reuse: str = "refused"
    """What a used refresh token is: `refused`, `grace` (good for grace_period), `accepted`, or `revokes` its family."""
    grace_period: float = 30.0
    refresh_lifetime: float = 30 * 86400.0
    refresh_ends_access: bool = False
    """Whether a renewal ends the access token before it. The documents say only time does."""
    token_by_get: bool = True
    client_authentication: str = "lenient"
    """`lenient`: none is needed for a code, body, Basic and query will do; `strict`: body or Basic, never both."""
    malformed_token_status: int = 400
    """What an unknown access token gets: 400 or 401."""
    error_shape: str = "oauth"
    """Token endpoint errors as `oauth` (error, error_description) or `mailup` (ErrorCode, ErrorDescription)."""
    error_body: str = "json"
    """REST errors with `json`, `html` or an `empty` body."""
    rate_limit: int = 5
    """Calls in a window, for one user and operation; 0: no limit."""
    rate_window: float = 1.0
    retry_after: bool = False
    max_page_size: int = 1000
    import_seconds: float = 0.5
    """How long an import takes after the call."""
    single_import: bool = False
    """Whether an import is refused while another one runs. MailUp's SOAP service does; of REST nobody says."""
    list_ready_after: float = 0.0
    """For how long a new list answers 403. One client waits a minute."""
    provisioning: bool = True
    """Whether the client may activate trial accounts. MailUp switches it on by request."""
    latency: float = 0.0
    """Added to every answer of the API."""
    token_latency: float = 0.0
    """Added to every answer of the token endpoint."""

    def changed(self, values: Mapping[str, Any]) -> Options:
        """Return options with some values changed; text is read as the type of the option.

        Raises:
            ValueError: no such option, or no such value.
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
