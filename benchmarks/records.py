"""Measure what parsing recipients costs: CPU time beside `json.loads` alone, and the memory of kept recipients.

- `ratio`: the CPU time of parsing a page, divided by that of `json.loads`. Its recipients are as MailUp sends them:
  with all 23 personal fields of the account, most of them empty.
- `ratio_short`: the same for recipients with 3 personal fields, two of them filled. It is higher, because there is
  less JSON for each value that is parsed.
- `mb_per_100000`: the memory of 100,000 kept recipients with 3 personal fields, in MB (10^6 bytes), as tracemalloc
  counts it. Each keeps its JSON as text; reading `raw` decodes it.

An earlier version, with a dataclass and a parsing function for each kind of record, had 3.1, 5.0 and 180 MB.

CPU time is that of this process. Runs of both sides alternate, and the median is taken. Garbage collection is on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from django_mailup.mailup import Recipient
from django_mailup.mailup.flow import Answer
from django_mailup.mailup.paging import Ask, parse_page

PAGE = 1000
FIELDS = [
    "FirstName", "LastName", "Company", "City", "Province", "ZIP", "Region", "Country", "Address", "Gender", "Phone",
    "Fax", "CompanyType", "Website", "Notes", "BirthDate", "Job", "Language", "CustomerSince", "LastOrderDate",
    "LastOrderId", "LastOrderAmount", "TotalOrders",
]  # fmt: skip
VALUES = ["Ada", "Lovelace"]


def page(first: int, fields: int) -> str:
    """Return the body of a page. Its recipients are numbered from `first`, and have this number of personal fields."""
    names = FIELDS[:fields]
    rows = [
        {
            "Email": f"recipient{number:07d}@example.com",
            "Fields": [
                {"Description": name, "Id": each, "Value": VALUES[each - 1] if each <= len(VALUES) else ""}
                for each, name in enumerate(names, start=1)
            ],
            "MobileNumber": f"333{number:07d}",
            "MobilePrefix": "+39",
            "Name": f"Recipient {number}",
            "idRecipient": 1000 + number,
        }
        for number in range(first, first + PAGE)
    ]
    envelope = {"IsPaginated": True, "Items": rows, "PageNumber": 0, "PageSize": PAGE, "TotalElementsCount": 10**6}
    return json.dumps(envelope, separators=(",", ":"))


def parse(body: str) -> list[Recipient]:
    return list(parse_page(Answer(body, 200, {}), Recipient, ask=Ask(0, PAGE)).items)


def ratio(body: str, parsing: Callable[[str], Any], runs: int) -> float:
    """Return the CPU time of parsing a body, divided by that of `json.loads`: the median of the runs."""
    found = []
    for _ in range(runs):
        begin = time.process_time()
        json.loads(body)
        between = time.process_time()
        parsing(body)
        found.append((time.process_time() - between) / (between - begin))
    return round(statistics.median(found), 2)


def megabytes(recipients: int) -> float:
    """Return how many MB (10^6 bytes) this number of kept recipients takes."""
    kept: list[Recipient] = []
    parse(page(0, 3))
    tracemalloc.start()
    for first in range(0, recipients, PAGE):
        kept += parse(page(first, 3))
    traced = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept[-1].raw["idRecipient"] == kept[-1].id
    return round(traced / 1e6, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=31)
    parser.add_argument("--recipients", type=int, default=100000)
    options = parser.parse_args()
    full, short = page(0, len(FIELDS)), page(0, 3)
    result = {
        "ratio": ratio(full, parse, options.runs),
        "ratio_short": ratio(short, parse, options.runs),
        "mb_per_100000": round(megabytes(options.recipients) * 100000 / options.recipients, 1),
    }
    for name, value in result.items():
        print(f"{name:<18} {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
