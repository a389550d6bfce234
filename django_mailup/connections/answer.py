"""Answer: what MailUp's redirect to the callback holds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """MailUp's answer to an authorization request (RFC 6749 sections 4.1.2 and 4.1.2.1). What is missing is empty.

    Attributes:
        code: the authorization code.
        error: the code of the error that came instead.
        state_in_path, state_in_query: OAuth's `state`, from the path and from the query of the callback.
        repeated: whether one of these came twice, which RFC 6749 section 3.1 forbids.
    """

    code: str = field(default="", repr=False)
    error: str = field(default="", repr=False)
    state_in_path: str = field(default="", repr=False)
    state_in_query: str = field(default="", repr=False)
    repeated: bool = False

    @property
    def state(self) -> str:
        """The state, wherever it came."""
        return self.state_in_path or self.state_in_query

    @property
    def lacks_state(self) -> bool:
        """Whether it is a code without a state."""
        return bool(self.code) and not self.error and not self.state
