"""Hostile requests on every URL of ours: no fault of ours, no wrong row, no redirect away from the site."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from django.test import modify_settings, override_settings
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from django_mailup.testing import use_sandbox

from .drivers import InProcess, watching_for_faults
from .hostile_requests import hostile_requests
from .hunt import Hunt
from .people import NAMES, World
from .routes import FIELDS, OFTEN, declared_routes


def test_every_url_of_ours_is_attacked() -> None:
    assert sorted(declared_routes()) == sorted(FIELDS), "add the new URL, and what it reads, to routes.FIELDS"


@pytest.mark.slow
@modify_settings(MIDDLEWARE={"append": "django.middleware.locale.LocaleMiddleware"})
@override_settings(USE_I18N=True)
class HostileRequests(TestCase):
    """Each request meets the same rows: hypothesis.extra.django rolls back what the one before has done.

    There is a test for each route and person: one long run of hypothesis would repeat what it has found to be new.
    """

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()  # not setUpTestData(), which copies what it makes for each example
        in_use = use_sandbox()
        cls.world = World(in_use.enable())
        cls.addClassCleanup(in_use.disable)
        cls.world.populate()
        cls.sent_to_mailup = in_use.requests


def attack(route: str, name: str, number: int) -> Callable[[HostileRequests], None]:
    """Return a test that sends a few requests to a route, from the browser of one person."""

    @seed(number)  # not derandomize=True, which would send all of these the same
    @settings(
        max_examples=15 if route in OFTEN else 3, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(data=st.data())
    def test(self: HostileRequests, data: Any) -> None:
        world = copy.copy(self.world)  # its rows are rolled back, what it remembers must be as well
        browser = next(each for each in world.browsers if each.name == name)
        with watching_for_faults() as faults:
            hunt = Hunt(world, faults, self.sent_to_mailup)
            request = data.draw(hostile_requests(world, route, browser))
            hunt.send(InProcess(faults), browser, request)
        found = hunt.findings
        assert (found.server_errors, found.wrong_rows, found.led_away) == ([], [], []), (name, request)

    return test


for number, (route, name) in enumerate(product(FIELDS, NAMES)):
    setattr(HostileRequests, f"test_{re.sub(r'[^a-z]+', '_', route)}by_{name}", attack(route, name, number))
