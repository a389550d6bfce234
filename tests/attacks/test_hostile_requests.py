"""Hostile requests on every URL of ours: no fault of ours, no wrong row, no redirect away from the site."""

from __future__ import annotations

import copy
from typing import Any

from django.test import modify_settings, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from django_mailup.testing import use_sandbox

from .drivers import InProcess, watching_for_faults
from .hostile_requests import hostile_requests
from .hunt import Hunt
from .people import World
from .routes import FIELDS, declared_routes


def test_every_url_of_ours_is_attacked() -> None:
    assert sorted(declared_routes()) == sorted(FIELDS), "add the new URL, and what it reads, to routes.FIELDS"


@modify_settings(MIDDLEWARE={"append": "django.middleware.locale.LocaleMiddleware"})
@override_settings(USE_I18N=True)
class HostileRequests(TestCase):
    """Each request meets the same rows: hypothesis.extra.django rolls back what the one before has done."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()  # not setUpTestData(), which copies what it makes for each example
        in_use = use_sandbox()
        cls.world = World(in_use.enable())
        cls.addClassCleanup(in_use.disable)
        cls.world.populate()
        cls.sent_to_mailup = in_use.requests

    @given(data=st.data())
    @settings(max_examples=400, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    def test_none_does_what_it_must_not(self, data: Any) -> None:
        with watching_for_faults() as faults:
            world = copy.copy(self.world)  # its rows are rolled back, what it remembers must be as well
            hunt = Hunt(world, faults, self.sent_to_mailup)
            browser, request = data.draw(hostile_requests(world))
            hunt.send(InProcess(faults), browser, request)
        found = hunt.findings
        assert (found.server_errors, found.wrong_rows, found.led_away) == ([], [], []), (browser.name, request)
