"""The pages on which users read about errors."""

from __future__ import annotations

import inspect

import pytest

from django_mailup import exceptions
from django_mailup.exceptions import MailUpError
from django_mailup.failures import FAILURES, name_of

# The errors that connecting an account may raise, other than their common parent class.
RAISED = [
    exceptions.AccountMismatch,
    exceptions.AuthorizationDenied,
    exceptions.AuthorizationFailed,
    exceptions.ClientRejected,
    exceptions.CodeRefused,
    exceptions.DecryptionFailed,
    exceptions.MailUpUnavailable,
    exceptions.Misconfigured,
    exceptions.PermissionMissing,
    exceptions.RegistrationUnavailable,
    exceptions.StateMismatch,
    exceptions.TermsNotAccepted,
    exceptions.UnexpectedResponse,
]


@pytest.mark.parametrize("error", RAISED)
def test_an_error_that_connecting_raises_has_a_page_of_its_own(error: type[MailUpError]) -> None:
    assert name_of(error.code) == error.code


def test_every_error_has_some_page() -> None:
    classes = [each for each in vars(exceptions).values() if inspect.isclass(each) and issubclass(each, MailUpError)]

    assert {name_of(each.code) for each in classes} <= set(FAILURES)
    assert name_of("something new") == "error"


def test_a_rate_limit_is_an_outage_to_a_user() -> None:
    assert name_of(exceptions.RateLimited.code) == "unavailable"
