"""The recipe "Change a model" with a made-up column."""

from __future__ import annotations

from .checkout import Change, Checkout, Steps

MODELS = "django_mailup/models.py"
MIGRATION = "django_mailup/migrations/0001_initial.py"

COLUMN = '    colour = models.CharField(max_length=6, default="", blank=True)\n'


def add_column(checkout: Checkout, commands: list[str]) -> None:
    checkout.insert(MODELS, COLUMN, before='    objects = SealedQuerySet["ClientRegistration"]')


def make_migration(checkout: Checkout, commands: list[str]) -> None:
    (command,) = commands
    old = checkout.read(MIGRATION).splitlines()
    checkout.delete(MIGRATION)
    checkout.output(command)
    new = checkout.read(MIGRATION).splitlines()
    # Whatever somebody had written into the migration would be lost.
    assert [line for line in new[1:] if "'colour'" not in line] == old[1:]


STEPS: Steps = [
    [Change(MODELS, add_column)],
    [Change(MIGRATION, make_migration, "tests/test_models.py::test_the_migration_is_up_to_date")],
]
