"""A process that calls MailUp by an operation which is always refused with 401, and by one that works.

`python -m tests.renewal.storm '{"database": …, "mailup": …, "key": …}'` prints how often each has failed, as JSON.
"""

from __future__ import annotations

import json
import os
import sys

from tests.threads import in_threads

THREADS, CALLS = 4, 3


def main() -> None:
    given = json.loads(sys.argv[1])
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from django.conf import settings

    settings.DATABASES["default"].update(given["database"])
    settings.MAILUP = given["mailup"]
    django.setup()
    from django_mailup.exceptions import MailUpError, Unauthorized
    from django_mailup.models import Token
    from django_mailup.services import client_of

    failed = {"refused": 0, "others": 0}

    def call() -> None:
        for _ in range(CALLS):
            client = client_of(Token.objects.select_related("registration").get(key=given["key"]))
            try:
                list(client.lists.all())
            except Unauthorized:
                failed["refused"] += 1
            try:
                client.account.info()
            except MailUpError:
                failed["others"] += 1

    in_threads(THREADS, call)
    print(json.dumps(failed))  # noqa: T201


if __name__ == "__main__":
    main()
