"""The recipe "Add a setting" with a made-up setting."""

from __future__ import annotations

from .checkout import Change, Checkout, Steps, log

TABLE = "django_mailup/settings_table.py"
README = "README.md"
VARIABLES = "example_project/.env.example"

ROW = '    TEA_BREAK = Seconds(60, help_text="How long nothing is renewed in the afternoon.")\n'


def add_row(checkout: Checkout, commands: list[str]) -> None:
    checkout.insert(TABLE, ROW, before="    CONNECTED_URL = ")


def print_table(checkout: Checkout, commands: list[str]) -> None:
    (command,) = commands
    text = checkout.read(README)
    start = text.index("| key | value | default |")
    checkout.write(README, text[:start] + checkout.output(command) + text[text.index("\n\n", start) + 1 :])


def add_variable(checkout: Checkout, commands: list[str]) -> None:
    checkout.append(VARIABLES, "#MAILUP_TEA_BREAK=60\n")


LISTED = "tests/test_package.py::test_the_example_lists_the_environment_variables_that_are_read"
STEPS: Steps = [
    [Change(TABLE, add_row, LISTED)],
    [Change(README, print_table, "tests/test_package.py::test_the_table_of_settings_is_the_generated_one")],
    [Change(VARIABLES, add_variable, LISTED)],
    [Change("CHANGELOG.md", log)],
]
