"""Errors as data: each is stored as its code and details, and made again with the same text."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from django_mailup import exceptions
from django_mailup.exceptions import (
    MailUpError,
    MailUpUnavailable,
    RateLimited,
    ReauthorizationRequired,
    UnexpectedResponse,
    restore,
)

CLASSES = [each for each in vars(exceptions).values() if inspect.isclass(each) and issubclass(each, MailUpError)]
REASONS = [(each, reason) for each in CLASSES for reason in each.SENTENCES]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_is_made_again_from_its_code(kind: type[MailUpError]) -> None:
    error = kind()
    made_again = restore(error.code, json.loads(json.dumps(error.details())))

    assert type(made_again) is kind
    assert str(made_again) == str(error)


@pytest.mark.parametrize(("kind", "reason"), REASONS, ids=[f"{kind.__name__}-{reason}" for kind, reason in REASONS])
def test_every_reason_is_a_sentence_that_is_made_again(kind: type[MailUpError], reason: str) -> None:
    error: Any = kind(reason=reason, status=418)
    error.cause = "Teapot"
    made_again = restore(error.code, json.loads(json.dumps(error.details())))

    assert str(made_again) == kind.SENTENCES[reason].format(status=418, cause="Teapot")
    assert "{" not in str(made_again)
    assert made_again.status == 418


@pytest.mark.parametrize(
    "error",
    [
        MailUpUnavailable(reason="connection", cause="ReadTimeout", grant_may_be_spent=True),
        UnexpectedResponse(reason="token_error", status=400, cause="invalid_scope", grant_may_be_spent=False),
        ReauthorizationRequired(interrupted=True, status=400),
        RateLimited(retry_after=600),
    ],
    ids=lambda error: type(error).__name__,
)
def test_details_survive(error: Any) -> None:
    made_again: Any = restore(error.code, json.loads(json.dumps(error.details())))

    assert str(made_again) == str(error)
    for name in ("status", "grant_may_be_spent", "interrupted", "cause"):
        assert getattr(made_again, name, None) == getattr(error, name, None)


def test_details_hold_no_headers_and_no_free_text() -> None:
    error = MailUpUnavailable("from a server: hush", status=503, headers={"X-Token": "hush"})

    assert "hush" not in json.dumps(error.details())


def test_the_code_of_another_version_is_kept() -> None:
    error = restore("of_another_version", {"status": 500, "unknown": 1})

    assert type(error) is MailUpError
    assert error.code == "of_another_version"


def test_the_tree_of_exceptions_is_drawn_as_it_is() -> None:
    classes = [
        value for value in vars(exceptions).values() if inspect.isclass(value) and issubclass(value, MailUpError)
    ]

    assert all(re.search(rf"\b{each.__name__}\b", exceptions.__doc__ or "") for each in classes)
    assert len({each.code for each in classes}) == len(classes)
    assert all(str(each()) == (inspect.getdoc(each) or "").splitlines()[0] for each in classes)
