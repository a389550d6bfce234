"""A row's life as random sequences of events, compared with a model."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from django_mailup.database_clock import DatabaseNow
from django_mailup.exceptions import MailUpUnavailable, ReauthorizationRequired
from django_mailup.models import Token
from django_mailup.renewal import on_demand, periodic, schedule
from django_mailup.sandbox import Sandbox
from django_mailup.services import client_of, connect_with_password

pytestmark = pytest.mark.slow
TOKEN = "/Authorization/OAuth/Token"


@pytest.mark.parametrize("reuse", ["refused", "accepted"])
def test_a_row_lives_as_its_model_says(
    db: None, mailup_registration: Any, mailup_sandbox: Sandbox, clock: Any, user: Any, reuse: str
) -> None:
    mailup_sandbox.configure(refresh_reuse=reuse)
    strict = reuse == "refused"

    class Life(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            Token.objects.all().delete()
            mailup_sandbox.faults.clear()
            self.outage = False
            self.good = False  # whether MailUp would take the row's refresh token
            self.lost = False  # whether an answer of MailUp was lost with a process
            self.generation = 0
            self.connect()

        def row(self) -> Token:
            return Token.objects.get()

        @rule()
        @precondition(lambda self: not self.outage)
        def connect(self) -> None:
            connect_with_password(username="m12345", password="sandbox", user=user, clock=clock)
            self.good, self.lost, self.generation = True, False, max(self.generation, self.row().generation)

        @rule(minutes=st.integers(1, 200))
        def time_passes(self, minutes: int) -> None:
            clock.move(minutes=minutes)

        @rule()
        @precondition(lambda self: not self.outage)
        def an_outage_begins(self) -> None:
            mailup_sandbox.fail_with("status", status=503, path=TOKEN, times=-1)
            self.outage = True

        @rule()
        @precondition(lambda self: self.outage)
        def the_outage_ends(self) -> None:
            mailup_sandbox.faults.clear()
            self.outage = False
            clock.move(minutes=1)  # callers may try again

        @rule()
        def the_user_withdraws_consent(self) -> None:
            mailup_sandbox.state.revoke(username="m12345")
            self.good = False

        @rule(after_mailup_acted=st.booleans())
        @precondition(lambda self: self.row().is_active)
        def a_process_is_killed_while_it_renews(self, after_mailup_acted: bool) -> None:
            if after_mailup_acted and self.good and not self.outage:
                mailup_sandbox.state.refresh(self.row().refresh_token.reveal(), mailup_sandbox.client_id)
                if strict:
                    self.good, self.lost = False, True
            Token.objects.update(claim_owner="the dead process", claimed_until=DatabaseNow(-1))

        @rule()
        def a_caller_wants_a_token(self) -> None:
            before = self.row()
            try:
                live = on_demand.usable_token(before.key, clock=clock)
            except MailUpUnavailable:
                assert self.outage
                assert self.row().failure_count > 0
            except ReauthorizationRequired:
                assert not self.good
                assert not self.outage or not before.is_active
                assert ("interrupted" in str(self.row().last_error)) >= self.lost, "the row says what happened"
            else:
                assert live.is_fresh(clock())
                assert live.generation == before.generation + (before.expires_at - timedelta(seconds=30) <= clock())

        @rule()
        def the_periodic_task_runs(self) -> None:
            due = list(Token.objects.due(now=clock()).values_list("key", flat=True))
            handed = [key for batch in periodic.hand_out_due(clock=clock) for key in batch.keys]
            assert handed == due
            before = self.row()
            tally = periodic.refresh_many(handed, clock=clock)
            row = self.row()
            if tally.failed:
                assert self.outage or not self.good
                latest = clock() + schedule.LONGEST_BACKOFF
                assert not row.is_active or clock() < row.refresh_at <= latest, "it comes due again by itself"
            assert row.generation == before.generation + tally.refreshed

        @invariant()
        def nothing_good_is_given_up(self) -> None:
            row = self.row()
            assert row.is_active or not self.good
            assert row.generation >= self.generation
            self.generation = row.generation

        def teardown(self) -> None:
            """At the end, with MailUp reachable again, a good pair works, and a lost one is reported as such."""
            mailup_sandbox.faults.clear()
            clock.move(hours=3)
            row = self.row()
            if self.good:
                assert client_of(row, clock=clock).account.info().uid == "4321"
                assert self.row().claim_owner == ""
            else:
                with pytest.raises(ReauthorizationRequired):
                    on_demand.usable_token(row.key, clock=clock)
                assert not self.row().is_active

    run_state_machine_as_test(Life, settings=examples(max_examples=60, stateful_step_count=25, deadline=None))
