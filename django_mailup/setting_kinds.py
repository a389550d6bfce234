"""The kinds of rows in `settings_table`. A kind defines the values that a setting accepts, and the type that code gets.

A row is a descriptor: as an attribute of the table's class it is the row, as one of an instance the setting's value.
"""

from __future__ import annotations

import base64
import binascii
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv6Address
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeVar, cast, overload
from urllib.parse import urlsplit

from django.utils.functional import Promise

if TYPE_CHECKING:
    from environ import Env

T = TypeVar("T")

SCOPES: Final = re.compile(r"[!#-\[\]-~]+( [!#-\[\]-~]+)*")
MAKE_KEY: Final = (
    'python -c "import base64, secrets; print(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())"'
)


class SettingsReader(Protocol):
    """An instance of the table."""

    def read(self) -> Mapping[str, Any]:
        """Return the dict `MAILUP`."""


class Setting(ABC, Generic[T]):
    """One key of the dict `MAILUP`. As an attribute of an instance of the table it is the value or default, as a T.

    Attributes:
        name: the key. With the prefix `MAILUP_` it is the environment variable.
        default: the value if the key is missing.
        help_text: what the setting is for, as a sentence in Markdown.
        expects: what a value must be, such as "a whole number, at least 1".
        check: the id of the system check that reports a value which isn't accepted.
        is_secret: whether a value may hold a secret. Messages don't show such values.
    """

    check: ClassVar[str]
    is_secret: ClassVar[bool] = False
    name: str
    expects: str

    def __init__(self, default: Any, *, help_text: str) -> None:
        self.default = default
        self.help_text = self.__doc__ = help_text

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SettingsReader, owner: type) -> T: ...
    def __get__(self, instance: SettingsReader | None, owner: type) -> Self | T:
        return self if instance is None else self.convert(instance.read().get(self.name, self.default))

    @property
    def default_text(self) -> str:
        """The default, in Markdown."""
        return f"`{self.default}`"

    @property
    def hint(self) -> str:
        """What the site can do about a value that isn't accepted, as a sentence."""
        return f"Correct it, or remove the key to use the default, {self.default}."

    @abstractmethod
    def accepts(self, value: object) -> bool:
        """Return whether a value of the dict `MAILUP` is what this row expects. Never raise an exception."""

    @abstractmethod
    def convert(self, value: Any) -> T:
        """Return an accepted value as a T."""

    @abstractmethod
    def parse(self, env: Env, variable: str) -> Any:
        """Return the value of an environment variable, for the dict `MAILUP`.

        Raises:
            ValueError: the variable's text can't be converted to what this row expects.
        """


class Text(Setting[str]):
    """A text that isn't empty, or a lazy text, such as the result of `reverse_lazy`."""

    check = "E011"
    expects = "a text"

    def accepts(self, value: object) -> bool:
        return isinstance(value, Promise) or (isinstance(value, str) and value != "")

    def convert(self, value: Any) -> str:
        return str(value)

    def parse(self, env: Env, variable: str) -> str:
        return str(env.str(variable))


class Scope(Text):
    """OAuth scopes separated by single spaces (RFC 6749 section 3.3); the empty text is none."""

    expects = "scopes separated by spaces"

    @property
    def default_text(self) -> str:
        return "none"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and (not value or SCOPES.fullmatch(value) is not None)


class CacheAlias(Text):
    """The name of one of Django's `CACHES`. A system check looks for it there."""

    check = "E010"
    expects = "the name of one of Django's CACHES"


class DottedPath(Text):
    """The dotted path of a function. A system check imports it."""

    check = "E012"
    expects = "the dotted path of a function"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and "." in value and all(map(str.isidentifier, value.split(".")))


class WebAddress(Text):
    """An absolute http or https URL without user name, query and fragment."""

    check = "E006"
    is_secret = True  # a URL that isn't accepted may contain a password
    expects = "a web address"

    def accepts(self, value: object) -> bool:
        try:
            url = urlsplit(value) if isinstance(value, str) else urlsplit("")
            is_complete = bool(url.hostname) and url.port != 0
        except ValueError:  # the port is not a number, or a bracket of an IPv6 address is missing
            return False
        has_extra_parts = bool(url.query or url.fragment or url.username)
        return is_complete and url.scheme in ("http", "https") and not has_extra_parts


class Choice(Setting[T]):
    """One of several texts. The first is the default: `Choice[Literal["a", "b"]]("a", "b", help_text=...)`."""

    check = "E004"

    def __init__(self, *choices: T, help_text: str) -> None:
        super().__init__(choices[0], help_text=help_text)
        self.choices = choices
        self.expects = "one of: " + ", ".join(map(str, choices))

    def accepts(self, value: object) -> bool:
        return value in self.choices

    def convert(self, value: Any) -> T:
        return cast(T, value)

    def parse(self, env: Env, variable: str) -> str:
        return str(env.str(variable))


class _Numeric(Setting[T]):
    """A number that is at least `minimum`, or greater than 0 if `minimum` is None."""

    check = "E003"
    noun: ClassVar[str]

    def __init__(self, default: float, *, minimum: float | None = None, help_text: str) -> None:
        super().__init__(default, help_text=help_text)
        self.minimum = minimum
        self.expects = f"{self.noun} greater than 0" if minimum is None else f"{self.noun}, at least {minimum}"

    def accepts(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value):
            return False
        return value > 0 if self.minimum is None else value >= self.minimum

    def parse(self, env: Env, variable: str) -> float:
        return float(env.float(variable))


class Number(_Numeric[float]):
    """A number; code gets a float."""

    noun = "a number"

    def convert(self, value: Any) -> float:
        return float(value)


class Seconds(Number):
    """A number of seconds; code gets a float."""

    noun = "a number of seconds"


class Duration(_Numeric[timedelta]):
    """A number of seconds; code gets a timedelta."""

    noun = "a number of seconds"

    def accepts(self, value: object) -> bool:
        try:
            return super().accepts(value) and bool(self.convert(value))
        except OverflowError:
            return False

    def convert(self, value: Any) -> timedelta:
        return timedelta(seconds=value)


class Count(_Numeric[int]):
    """A whole number; code gets an int, and the minimum instead of a smaller number."""

    noun = "a whole number"

    def __init__(self, default: int, *, minimum: int = 1, help_text: str) -> None:
        super().__init__(default, minimum=minimum, help_text=help_text)
        self._least = minimum

    def accepts(self, value: object) -> bool:
        return isinstance(value, int) and super().accepts(value)

    def convert(self, value: Any) -> int:
        return max(self._least, int(value))

    def parse(self, env: Env, variable: str) -> int:
        return int(env.int(variable))


class Flag(Setting[bool]):
    """True or False."""

    check = "E004"
    expects = "True or False"

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)

    def convert(self, value: Any) -> bool:
        return bool(value)

    def parse(self, env: Env, variable: str) -> bool:
        return bool(env.bool(variable))


class Keys(Setting[tuple[str, ...] | str]):
    """A list of encryption keys, or the dotted path of a function that returns one; code gets a tuple, or the path."""

    check = "E005"
    is_secret = True
    expects = "a list of keys, or the dotted path of a function that returns one"

    def __init__(self, *, help_text: str) -> None:
        super().__init__((), help_text=help_text)

    @property
    def default_text(self) -> str:
        return "none"

    @property
    def hint(self) -> str:
        return (
            "Set it to a list of keys, newest first, or to the dotted path of a function that returns them. A key is 32"
            f" random bytes in URL-safe base64. Make one with: {MAKE_KEY}"
        )

    def accepts(self, value: object) -> bool:
        return is_dotted_path(value) or (isinstance(value, (list, tuple)) and all(map(is_key, value)))

    def convert(self, value: Any) -> tuple[str, ...] | str:
        return value if isinstance(value, str) else tuple(value)

    def parse(self, env: Env, variable: str) -> list[str] | str:
        items = [key.strip() for key in env.list(variable) if key.strip()]
        return items[0] if len(items) == 1 and is_dotted_path(items[0]) else items


class HostNames(Setting[tuple[str, ...]]):
    """A list of names or addresses of hosts, without port."""

    check = "E009"
    expects = "a list of host names"
    _NAME: Final = re.compile(r"[A-Za-z0-9._-]+")

    def __init__(self, *, help_text: str) -> None:
        super().__init__((), help_text=help_text)

    @property
    def default_text(self) -> str:
        return "none"

    @property
    def hint(self) -> str:
        return 'Write names without scheme and port, such as ["sandbox.internal"], or remove the key.'

    def accepts(self, value: object) -> bool:
        return isinstance(value, (list, tuple)) and all(map(self._is_host, value))

    def _is_host(self, value: object) -> bool:
        return isinstance(value, str) and bool(self._NAME.fullmatch(value) or _is_ipv6(value))

    def convert(self, value: Any) -> tuple[str, ...]:
        return tuple(value)

    def parse(self, env: Env, variable: str) -> list[str]:
        return [name.strip() for name in env.list(variable) if name.strip()]


def _is_ipv6(value: str) -> bool:
    try:
        return bool(IPv6Address(value))
    except ValueError:
        return False


def is_key(value: object) -> bool:
    """Return whether a value is an encryption key: 32 bytes in URL-safe base64."""
    try:
        return isinstance(value, (str, bytes)) and len(base64.urlsafe_b64decode(value)) == 32
    except (binascii.Error, ValueError):
        return False


def is_dotted_path(value: object) -> bool:
    """Return whether a value is the path of something in a module, such as `site.vault.keys`."""
    return isinstance(value, str) and "." in value and all(part.isidentifier() for part in value.split("."))
