"""Send a hostile request, and tell what it did that it must not do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs

import requests

from django_mailup.conf import app_settings

from .drivers import Fault, Faults, Reply
from .hostile_requests import HostileRequest
from .people import Browser, World
from .redirects import destination
from .wrong_rows import snapshot, wrong_rows


class Driver(Protocol):
    """Sends a hostile request."""

    def send(self, request: HostileRequest) -> Reply: ...


@dataclass
class Findings:
    """What hostile requests did. Each list has a line for each time; `examples` the first request of each line.

    `journeys` are what people did as they may; the failed ones did not come to their end.
    """

    requests: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    server_errors: list[str] = field(default_factory=list)
    other_errors: list[str] = field(default_factory=list)
    wrong_rows: list[str] = field(default_factory=list)
    led_away: list[str] = field(default_factory=list)
    journeys: int = 0
    failed_journeys: list[str] = field(default_factory=list)
    examples: dict[str, str] = field(default_factory=dict)


class Hunt:
    """Sends requests to a site and judges each of them by the exceptions and the rows that it left.

    Args:
        sent_to_mailup: the requests that the sandbox got; they are looked at and removed.
    """

    def __init__(self, world: World, faults: Faults, sent_to_mailup: list[requests.PreparedRequest]) -> None:
        self.world = world
        self.faults = faults
        self.sent_to_mailup = sent_to_mailup
        self.findings = Findings()

    def send(self, driver: Driver, browser: Browser, request: HostileRequest) -> bool:
        """Send one request, add what it did to the findings, and return whether it changed a row."""
        self.sent_to_mailup.clear()
        before = snapshot()
        reply = driver.send(request)
        after = snapshot()
        found = self.findings
        found.requests += 1
        found.statuses[reply.status] = found.statuses.get(reply.status, 0) + 1
        faults = list(dict.fromkeys(self.faults.take()))  # Django's middlewares may meet the same one again
        if reply.status == 500 and not faults:
            faults = [Fault(True, "500 without an exception")]
        found.server_errors += [fault.text for fault in faults if fault.ours]
        found.other_errors += [fault.text for fault in faults if not fault.ours]
        wrong = wrong_rows(self.world, browser, before, after, self._exchanged())
        found.wrong_rows += wrong
        if reply.location and not self._may_lead_to(reply.location):
            found.led_away.append(reply.location)
        for line in [*(fault.text for fault in faults), *wrong]:
            found.examples.setdefault(line, f"{browser.name}: {request}")
        self.world.note_requests(browser, after.pending.keys() - before.pending.keys())
        return before != after

    def _may_lead_to(self, location: str) -> bool:
        return location.startswith(f"{app_settings.BASE_URL}/Authorization/OAuth/LogOn?") or not destination(location)

    def _exchanged(self) -> list[str]:
        """Return the codes that were sent to MailUp's token endpoint."""
        codes: list[str] = []
        for sent in self.sent_to_mailup:
            body = sent.body.decode() if isinstance(sent.body, bytes) else str(sent.body or "")
            codes += parse_qs(body).get("code", [])
        return codes
