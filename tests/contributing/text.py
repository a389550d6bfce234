"""The recipe "Add or change a text that users see" with a made-up message."""

from __future__ import annotations

from .checkout import Change, Checkout, Steps

ENGLISH = "django_mailup/locale/en/LC_MESSAGES/django.po"
ITALIAN = "django_mailup/locale/it/LC_MESSAGES/django.po"
COMPILED = "django_mailup/locale/it/LC_MESSAGES/django.mo"
CODE = "django_mailup/admin.py"


def mark(checkout: Checkout, commands: list[str]) -> None:
    checkout.append(CODE, '\n\nREST = gettext_lazy("Have a rest.")\n')


def add_english(checkout: Checkout, commands: list[str]) -> None:
    checkout.append(ENGLISH, '\nmsgid "Have a rest."\nmsgstr ""\n')


def add_italian(checkout: Checkout, commands: list[str]) -> None:
    checkout.append(ITALIAN, '\nmsgid "Have a rest."\nmsgstr "Riposati."\n')


def compile_italian(checkout: Checkout, commands: list[str]) -> None:
    (command,) = commands
    checkout.output(command, folder=COMPILED.rpartition("/")[0])


COMPARED = "tests/test_translations.py::test_the_sources_have_the_texts_of_the_code"
MADE = "tests/test_translations.py::test_the_compiled_files_are_made_from_the_sources"
STEPS: Steps = [
    [Change("", mark, COMPARED)],
    [Change(ENGLISH, add_english, COMPARED), Change(ITALIAN, add_italian, COMPARED)],
    [Change(COMPILED, compile_italian, MADE)],
]
