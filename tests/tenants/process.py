"""A process of a tenant: `python -m tests.tenants.process '{"database": …, "mailup": …, "schema": …, "key": …}'`.

It asks for a usable token, and prints its generation, or the name of the exception.
"""

from __future__ import annotations

import json
import os
import sys
from uuid import UUID


def main() -> None:
    given = json.loads(sys.argv[1])
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.tenants.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = given["database"]
    settings.MAILUP = given["mailup"]
    django.setup()
    from django_tenants.utils import schema_context

    from django_mailup.exceptions import MailUpError
    from django_mailup.renewal import on_demand

    with schema_context(given["schema"]):
        try:
            print(on_demand.usable_token(UUID(given["key"])).generation)  # noqa: T201
        except MailUpError as error:
            print(type(error).__name__)  # noqa: T201


if __name__ == "__main__":
    main()
