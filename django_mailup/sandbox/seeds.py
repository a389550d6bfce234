"""The accounts and users that every sandbox starts with."""

from __future__ import annotations

from .accounts import Account, Group, MailingList, User


def create_users() -> list[User]:
    """Return two users, `m12345` and `m67890`, each with a new account; the password of both is `sandbox`."""
    bakery = Account(
        uid="4321",
        company="Fornaio Rossi",
        email="ada@fornaio.example",
        lists=[
            MailingList(
                1,
                "Newsletter ",
                "Monthly news from the bakery",
                [
                    Group(9, "Regulars"),
                    Group(10, "Wholesale", "Shops and restaurants"),
                    Group(11, "Test", deletable=False),
                ],
            ),
            MailingList(2, "Recipes", "One recipe a week", [Group(21, "Bread"), Group(22, "Pastry")]),
            MailingList(3, "Press", "Journalists", []),
        ],
    )
    museum = Account(
        uid="8765",
        company="Museo del Mare",
        email="leo@museo.example",
        lists=[MailingList(1, "Friends of the museum", "Members", [Group(31, "Volunteers")])],
        is_trial=True,
    )
    return [User("m12345", "sandbox", bakery), User("m67890", "sandbox", museum)]
