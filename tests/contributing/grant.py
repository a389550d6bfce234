"""The recipe "Add a grant" with a made-up grant, and a command by which a site connects accounts with it."""

from __future__ import annotations

from .checkout import Change, Checkout, Steps, log

GRANTS = "django_mailup/mailup/grants.py"
EXPORTS = "django_mailup/mailup/__init__.py"
CLASSIFY = "django_mailup/mailup/classify.py"
STATE = "django_mailup/sandbox/state.py"
ENDPOINT = "django_mailup/sandbox/oauth.py"
GRANT_TESTS = "tests/mailup/test_grants.py"
AUTHORIZATION = "django_mailup/connections/authorization.py"
SERVICES = "django_mailup/services.py"
AUTHORIZATION_TESTS = "tests/connections/test_authorization.py"
COMMANDS = "django_mailup/management/commands/"
README = "README.md"
DRIVERS = "tests/canary/jobs.py"

GRANT = '''

@dataclass(frozen=True, slots=True)
class Assertion:
    """What somebody whom MailUp trusts says about a MailUp user."""

    refused: ClassVar[type[MailUpError]] = LoginRefused

    assertion: str = field(repr=False)

    def form(self) -> dict[str, str]:
        return {"grant_type": "urn:example:assertion", "assertion": self.assertion}
'''
REDEEM = '''    def redeem_assertion(self, assertion: str, client_id: str) -> Pair:
        """Return a new pair for an assertion, which is a user name. Raise OAuthError if there is no such user."""
        with self.lock:
            if assertion not in self.users:
                raise OAuthError("invalid_grant", "The assertion is invalid")
            self.counters["exchanges"] += 1
            return self._new_pair(self.users[assertion], client_id)

'''
BRANCH = """    if grant_type == "urn:example:assertion" and client_id is not None:
        return state.redeem_assertion(fields.get("assertion", ""), client_id)
"""
REFUSED_ROW = '    (Assertion("no"), LoginRefused),\n'
FORM_ROW = '    (Assertion("c-1"), {"grant_type": "urn:example:assertion", "assertion": "c-1"}),\n'
FUNCTION = '''@forgets_locals
def connect_with_assertion(
    *, assertion: str, user: Any = None, registration: str = DEFAULT_REGISTRATION, clock: Clock = timezone.now
) -> Token:
    """Connect by an assertion, and return the connection. Raise what `connect_with_password` raises."""
    refuse_transaction()
    found = store.find(registration)
    pair = oauth.exchange(found, Assertion(assertion), clock=clock)
    return store_pair(pair, found, user, intended=None, request=None, clock=clock)[0]


'''
FUNCTION_TEST = """

def test_an_assertion(journey: Journey, user: Any, heard: Any) -> None:
    token = connect_with_assertion(assertion="m67890", user=user)

    assert Token.objects.get(user=user).account_username == "m67890"
    assert journey.sandbox.state.find_pair(token.access_token.reveal()) is not None
    assert [name for name, _ in heard] == ["account_connected"]


def test_a_wrong_assertion(journey: Journey) -> None:
    with pytest.raises(LoginRefused):
        connect_with_assertion(assertion="nobody")
    assert Token.objects.count() == 0
"""
DOCSTRING_LINE = "    connect_with_assertion                                  connect by an assertion\n"
IMPORT_LINE = "    from .connections.authorization import connect_with_assertion as connect_with_assertion\n"
HOME_LINE = '    "connect_with_assertion": "connections.authorization.connect_with_assertion",\n'
COMMAND = '''"""Connect an account by an assertion."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ... import services


class Command(BaseCommand):
    help = "Connect a MailUp account by an assertion, for the site itself."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("assertion")

    def handle(self, *args: Any, **options: Any) -> None:
        services.connect_with_assertion(assertion=options["assertion"])
'''
DRIVER = """def assert_command(world: World) -> None:
    assert world.watch.command("mailup_assert", "m67890") is None
    world.watch.planted.add_tokens(world.sandbox)


"""
ALL_DRIVEN = "tests/canary/test_canary.py::test_everything_that_there_is_is_driven"


def add_grant(checkout: Checkout, commands: list[str]) -> None:
    checkout.append(GRANTS, GRANT)


def export_grant(checkout: Checkout, commands: list[str]) -> None:
    checkout.replace(EXPORTS, "grants import ", "grants import Assertion, ")
    checkout.insert(EXPORTS, '    "Assertion",\n', before='    "Attachment",\n')


def add_word(checkout: Checkout, commands: list[str]) -> None:
    checkout.replace(CLASSIFY, "(token|grant|", "(token|grant|assertion|")


def add_to_state(checkout: Checkout, commands: list[str]) -> None:
    checkout.insert(STATE, REDEEM, before="    def refresh(self, ")


def add_branch(checkout: Checkout, commands: list[str]) -> None:
    checkout.insert(ENDPOINT, BRANCH, before='    if grant_type not in ("password", "refresh_token"):\n')


def add_rows(checkout: Checkout, commands: list[str]) -> None:
    checkout.replace(GRANT_TESTS, "mailup import Author", "mailup import Assertion, Author")
    checkout.replace(GRANT_TESTS, "REFUSED = [\n", f"REFUSED = [\n{REFUSED_ROW}")
    checkout.replace(GRANT_TESTS, "FORMS = [\n", f"FORMS = [\n{FORM_ROW}")


def add_function(checkout: Checkout, commands: list[str]) -> None:
    checkout.replace(AUTHORIZATION, "grants import ", "grants import Assertion, ")
    checkout.insert(AUTHORIZATION, FUNCTION, before="def disconnect(")


def add_to_services(checkout: Checkout, commands: list[str]) -> None:
    checkout.insert(SERVICES, DOCSTRING_LINE, before="    connect_with_password, disconnect ")
    checkout.insert(SERVICES, IMPORT_LINE, before="    from .connections.authorization import connect_with_password ")
    checkout.insert(SERVICES, HOME_LINE, before='    "connect_with_password": ')
    checkout.insert(SERVICES, '    "connect_with_assertion",\n', before='    "connect_with_password",\n')


def test_function(checkout: Checkout, commands: list[str]) -> None:
    checkout.replace(AUTHORIZATION_TESTS, "services import ", "services import connect_with_assertion, ")
    checkout.append(AUTHORIZATION_TESTS, FUNCTION_TEST)


def add_command(checkout: Checkout, commands: list[str]) -> None:
    checkout.write(f"{COMMANDS}mailup_assert.py", COMMAND)


def document_command(checkout: Checkout, commands: list[str]) -> None:
    checkout.insert(README, "| `mailup_assert` | connects by an assertion |\n", before="| `mailup_connect` |")


def drive_command(checkout: Checkout, commands: list[str]) -> None:
    checkout.insert(DRIVERS, DRIVER, before="COMMANDS: ")
    checkout.insert(DRIVERS, '    "mailup_assert": assert_command,\n', before='    "mailup_connect": ')


SERVED = "tests/test_services.py::test_each_name_is_a_function_of_its_home_that_says_what_it_does"
STEPS: Steps = [
    [
        Change(GRANTS, add_grant, f"{GRANT_TESTS}::test_every_grant_is_in_both_tables"),
        Change(EXPORTS, export_grant, f"{GRANT_TESTS}::test_every_grant_is_in_both_tables"),
    ],
    [Change(CLASSIFY, add_word, f"{GRANT_TESTS}::test_a_refused_grant_says_which[kind-Assertion-mailup]")],
    [
        Change(STATE, add_to_state, f"{GRANT_TESTS}::test_a_refused_grant_says_which[kind-Assertion-oauth]"),
        Change(ENDPOINT, add_branch, f"{GRANT_TESTS}::test_a_refused_grant_says_which[kind-Assertion-oauth]"),
    ],
    [Change(GRANT_TESTS, add_rows, f"{GRANT_TESTS}::test_every_grant_is_in_both_tables")],
    [Change(AUTHORIZATION, add_function, SERVED)],
    [Change(SERVICES, add_to_services, f"{AUTHORIZATION_TESTS}::test_an_assertion")],
    [Change(AUTHORIZATION_TESTS, test_function)],
    [
        Change(COMMANDS, add_command, ALL_DRIVEN),
        Change(README, document_command, "tests/test_package.py::test_every_command_is_documented"),
        Change(DRIVERS, drive_command, ALL_DRIVEN),
    ],
    [Change("CHANGELOG.md", log)],
]
