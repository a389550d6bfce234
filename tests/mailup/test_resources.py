"""What resources do beyond one request: fields by name, imports in chunks, refused arguments, unusual answers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from django_mailup.exceptions import APIError, Forbidden, ImportStopped, MailUpUnavailable, NotFound
from django_mailup.mailup import Import, ImportJob, MailUpClient, NewRecipient, Provisioning, Sender
from django_mailup.sandbox import Sandbox
from django_mailup.sandbox.adapter import SandboxAdapter

ROOT = Path(__file__).resolve().parents[2]
GUID = "00000000-0000-4000-8000-004321000003"
SENDER = Sender(
    owner_email="a@x.example", reply_to="a@x.example", name="A", company="A", contact="A", address="A", city="A",
    country_code="IT", permission_reminder="A", website="https://x.example",
)  # fmt: skip


def people(count: int) -> Iterator[NewRecipient]:
    return (NewRecipient(email=f"p{number}@example.com") for number in range(count))


# ----------------------------------------------------------------------------------------- fields


def test_fields_go_by_name_in_any_letter_case_and_are_looked_up_once(
    client: MailUpClient, sandbox: Sandbox, adapter: SandboxAdapter
) -> None:
    sandbox.configure(max_page_size=100)
    for number in range(3):
        client.recipients.add(list_id=1, email=f"{number}@example.com", fields={"firstNAME": "Ada", "city": "Turin"})
    found = client.recipients.get(recipient_id=1)

    assert (found.fields[1], found.fields[4], found.fields[2]) == ("Ada", "Turin", "")
    assert sum("DynamicFields" in (request.url or "") for request in adapter.requests) == 1


def test_an_unknown_field_names_those_there_are(client: MailUpClient, adapter: SandboxAdapter) -> None:
    with pytest.raises(ValueError, match=r"no personal field 'FirstNam'.*Did you mean firstname\?.*birthday.*company"):
        client.recipients.add(list_id=1, email="a@example.com", fields={"FirstNam": "Ada"})
    assert all(request.method == "GET" for request in adapter.requests)


# ---------------------------------------------------------------------------------------- imports


def test_any_iterable_goes_in_chunks(client: MailUpClient, sandbox: Sandbox) -> None:
    seen: list[ImportJob] = []
    jobs = client.recipients.import_many(people(25), list_id=1, chunk=10, on_chunk=seen.append)

    assert [job.size for job in jobs] == [10, 10, 5]
    assert seen == jobs
    assert len(list(client.recipients.subscribed(list_id=1))) == 25
    assert [job.wait().created for job in jobs] == [10, 10, 5]


def test_to_a_group(client: MailUpClient) -> None:
    client.recipients.import_many(people(3), group_id=9, confirm=False, leave_other_groups=True)

    assert len(list(client.groups.recipients(group_id=9))) == 3


def test_what_stops_an_import_says_which_part_was_sent(client: MailUpClient, sandbox: Sandbox) -> None:
    def after_one_chunk(job: ImportJob) -> None:
        sandbox.fail_with("drop", path="/Recipients")

    with pytest.raises(ImportStopped, match=r"after 10 recipients in 1 chunks; the next chunk may have been") as caught:
        client.recipients.import_many(people(30), list_id=1, chunk=10, on_chunk=after_one_chunk)
    assert (caught.value.sent, len(caught.value.jobs), caught.value.may_have_arrived) == (10, 1, True)
    assert isinstance(caught.value.__cause__, MailUpUnavailable)


def test_a_bad_recipient_in_a_later_chunk_says_so_too(client: MailUpClient) -> None:
    recipients = [*people(10), NewRecipient(email="nonsense")]
    with pytest.raises(ImportStopped, match="email must be an e-mail address, not 'nonsense'") as caught:
        client.recipients.import_many(recipients, list_id=1, chunk=10)
    assert (caught.value.sent, caught.value.may_have_arrived) == (10, False)


def test_waiting_has_a_deadline_and_tells_progress(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.configure(import_seconds=0.3)
    seen: list[Import] = []
    job = client.imports.start(list_id=1, recipients=people(3))
    with pytest.raises(MailUpUnavailable, match=f"Import {job} is not completed"):
        client.imports.wait(import_id=job, seconds=0)

    found = client.imports.wait(import_id=job, every=0.02, progress=seen.append)
    assert (found.valid, found.created, found.not_valid) == (3, 3, 0)
    assert [each.completed for each in seen][-2:] == [False, True]
    assert client.imports.sending(import_id=job) is None


def test_imports_treat_those_who_left_as_documented(client: MailUpClient) -> None:
    (ada, bo, cy) = (client.recipients.add(list_id=1, email=f"{name}@example.com") for name in ("ada", "bo", "cy"))
    for each in (ada, bo):
        client.recipients.unsubscribe(list_id=1, recipient_id=each)

    client.imports.start(list_id=1, recipients=[NewRecipient(email="ada@example.com")])
    client.imports.start(list_id=1, recipients=[NewRecipient(email="bo@example.com")], as_="asOptin")
    client.imports.start(list_id=1, recipients=[NewRecipient(email="cy@example.com")], as_="asOptout")
    client.imports.start(list_id=1, recipients=[NewRecipient(email="dan@example.com")], confirm=True)
    found = {each.email.partition("@")[0]: each.status for each in client.recipients.opt_ins(list_id=1)}
    assert found == {"ada": "OPTOUT", "bo": "OPTIN", "cy": "OPTOUT", "dan": "PENDING"}
    assert cy


def test_an_address_and_a_number_of_two_people_are_refused(client: MailUpClient) -> None:
    client.recipients.add(list_id=1, email="ada@example.com")
    client.recipients.add(list_id=1, mobile_prefix="+39", mobile_number="333")
    both = NewRecipient(email="ada@example.com", mobile_prefix="0039", mobile_number="333")
    with pytest.raises(APIError, match="two different recipients"):
        client.recipients.add(list_id=1, email="ada@example.com", mobile_prefix="+39", mobile_number="333")

    job = client.imports.start(list_id=1, recipients=[both])
    assert client.imports.wait(import_id=job).not_valid == 1
    job = client.imports.start(list_id=1, recipients=[both], ignore_mobile=True)
    assert client.imports.wait(import_id=job).updated == 1


# -------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda c: c.lists.get(list_id="1"), "list_id"),
        (lambda c: c.lists.get(list_id=0), "list_id"),
        (lambda c: c.lists.get(list_id=True), "list_id"),
        (lambda c: c.groups.all(list_id=-1), "list_id"),
        (lambda c: c.recipients.subscribed(list_id=1, group_id="9"), "group_id"),
        (lambda c: c.recipients.subscribed(list_id=1, page_size=0), "page_size"),
        (lambda c: c.recipients.add(list_id=1, email=""), "email"),
        (lambda c: c.recipients.add(list_id=1, email="ada"), "email"),
        (lambda c: c.recipients.add(list_id=1, email="a@example.com", fields={0: "x"}), "fields"),
        (lambda c: c.recipients.add(list_id=1, email="a@example.com", fields={1: "x" * 201}), r"fields\[1\]"),
        (lambda c: c.recipients.find(email=" "), "email"),
        (lambda c: c.recipients.standing(email="ada"), "email"),
        (lambda c: c.recipients.search(email="ada"), "email"),
        (lambda c: c.recipients.update(email=""), "email"),
        (lambda c: c.lists.create(name="x" * 51, sender=SENDER), "name"),
        (lambda c: c.lists.create(name=" ", sender=SENDER), "name"),
        (lambda c: c.lists.create(name="x", sender=SENDER, copy_of=0), "copy_of"),
        (lambda c: c.lists.create(name="x", sender=SENDER, settings={"naem": "y"}), "naem"),
        (lambda c: c.lists.delete(list_id=1, guid=""), "guid"),
        (lambda c: c.groups.create(list_id=1, name=""), "name"),
        (lambda c: c.messages.create(list_id=1, subject="", content="x"), "subject"),
        (lambda c: c.messages.create(list_id=1, subject="x", content=""), "content"),
        (lambda c: c.messages.create(list_id=1, subject="x", content="y", tag_ids=["1"]), "tag_ids"),
        (lambda c: c.attachments.add(list_id=1, message_id=1, slot=1, name="x", content=b""), "content"),
        (lambda c: c.attachments.add(list_id=1, message_id=1, slot=0, name="x", content=b"x"), "slot"),
        (lambda c: c.images.add(name="x", content=b""), "content"),
        (lambda c: c.sendings.to_list(list_id=1, message_id=1, at=datetime(2030, 1, 1)), "at"),
        (lambda c: c.sendings.schedule(sending_id=1, at="2030-01-01"), "at"),
        (lambda c: c.sendings.to_recipient(email="x", message_id=1), "email"),
        (lambda c: c.sendings.to_recipient(email="x@example.com", message_id=0), "message_id"),
        (lambda c: c.sms.to_list(list_id=1, message_id=1, sender_number="Fornaio Rossi"), "sender_number"),
        (lambda c: c.sms.to_number(prefix="", number="", message_id=1), "number"),
        (lambda c: c.sms.import_to_list(list_id=1, recipients=people(1)), r"recipients\[0\].mobile_number"),
        (lambda c: c.imports.start(list_id=1, recipients=[]), "recipients"),
        (lambda c: c.imports.start(list_id=1, recipients=people(1), as_="optin"), "as_"),
        (lambda c: c.recipients.import_many(people(1)), "list_id or group_id"),
        (lambda c: c.recipients.import_many(people(1), list_id=1, chunk=0), "chunk"),
        (lambda c: c.trusted_senders.register(email="x"), "email"),
        (lambda c: c.trusted_senders.get(trusted_sender_id="../x"), "trusted_sender_id"),
        (lambda c: c.trusted_senders.delete(trusted_sender_id=1), "trusted_sender_id"),
        (lambda c: c.recipients.standing(email="a@example.com", list_id=0), "list_id"),
        (lambda c: c.smtp_users.create(list_id=1, priority=6), "priority"),
        (lambda c: c.tags.create(list_id=1, name=""), "name"),
    ],
)
def test_a_wrong_argument_is_refused_before_a_call_is_spent(
    client: MailUpClient, adapter: SandboxAdapter, call: Callable[[Any], Any], name: str
) -> None:
    with pytest.raises(ValueError, match=name):
        call(client)
    assert adapter.requests == []


# ----------------------------------------------------------------------------------------- quirks


def test_deleting_a_list_needs_its_own_guid(client: MailUpClient) -> None:
    with pytest.raises(APIError):
        client.lists.delete(list_id=2, guid=GUID)
    client.lists.delete(list_id=3, guid=GUID)
    with pytest.raises(NotFound):
        client.lists.get(list_id=3)


def test_the_password_of_an_smtp_user_is_not_in_its_repr(client: MailUpClient) -> None:
    made = client.smtp_users.create(list_id=1)

    assert made.password == "sandbox"
    assert "sandbox'" not in repr(made)
    assert "password" not in repr(made)


def test_a_text_message_to_one_number_subscribes_it(client: MailUpClient) -> None:
    message = client.sms.create(list_id=1, subject="Hi", content="Hello")
    client.sms.to_number(prefix="+39", number="333", message_id=message.id)

    assert [(each.mobile_number, each.status) for each in client.sms.opt_ins(list_id=1)] == [("333", "OPTIN")]


def test_a_sending_that_was_cancelled_or_stopped_is_not_sent(client: MailUpClient, sandbox: Sandbox) -> None:
    message = client.messages.create(list_id=1, subject="S", content="C")
    at = datetime.now(UTC) + timedelta(hours=1)
    first, second = (client.sendings.to_list(list_id=1, message_id=message.id, at=at) for _ in range(2))
    client.sendings.cancel(sending_id=first.sending_id)
    client.sendings.stop(sending_id=second.sending_id)
    before = sandbox.clock
    sandbox.clock = lambda: before() + 7200

    assert list(client.messages.send_history(list_id=1, message_id=message.id)) == []
    with pytest.raises(NotFound):
        client.sendings.cancel(sending_id=first.sending_id)


def test_a_clone_is_a_message_of_its_own(client: MailUpClient) -> None:
    message = client.messages.create(list_id=1, subject="S", content="C", notes="N")
    copy = client.messages.clone(list_id=1, message_id=message.id)
    client.messages.update(list_id=1, message_id=copy.id, subject="T")

    assert [(each.subject, each.notes) for each in client.messages.all(list_id=1)] == [("S", "N"), ("T", "N")]


@pytest.mark.parametrize(("makes_pending", "status"), [(False, "OPTIN"), (True, "PENDING")])
def test_adding_a_subscriber_with_confirmation_may_make_them_pending(
    client: MailUpClient, sandbox: Sandbox, makes_pending: bool, status: str
) -> None:
    sandbox.configure(confirm_makes_pending=makes_pending)
    for email in ("ada@example.com", "bo@example.com"):
        client.recipients.add(list_id=1, email=email)
    client.recipients.add(list_id=1, email="ada@example.com", confirm=True)
    client.imports.start(list_id=1, recipients=[NewRecipient(email="bo@example.com")], confirm=True)

    for email in ("ada@example.com", "bo@example.com"):
        assert client.recipients.standing(email=email, list_id=1)[1].status == status


def test_a_new_list_is_forbidden_for_a_while(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.configure(list_ready_after=60)
    made = client.lists.create(name="New", sender=SENDER)

    with pytest.raises(Forbidden):
        list(client.groups.all(list_id=made.id))
    before = sandbox.clock
    sandbox.clock = lambda: before() + 61
    assert list(client.groups.all(list_id=made.id)) == []


def test_the_test_group_cannot_be_deleted(client: MailUpClient) -> None:
    with pytest.raises(APIError):
        client.groups.delete(list_id=1, group_id=11)


def test_a_second_import_may_be_refused_while_one_runs(client: MailUpClient, sandbox: Sandbox) -> None:
    sandbox.configure(single_import=True, import_seconds=60)
    client.imports.start(list_id=1, recipients=people(1))

    with pytest.raises(ImportStopped, match="Another import is running") as caught:
        client.recipients.import_many(people(2), list_id=1)
    assert (caught.value.sent, caught.value.may_have_arrived) == (0, False)


@pytest.mark.parametrize(("secret", "on"), [("wrong", True), (Sandbox.client_secret, False)])
def test_trial_accounts_need_the_clients_own_right(
    sandbox: Sandbox, adapter: SandboxAdapter, secret: str, on: bool
) -> None:
    sandbox.configure(provisioning=on)
    public = Provisioning(sandbox.client_id, secret, adapter=adapter)
    with pytest.raises(APIError) as caught:
        public.activate_trial(name="A", company="A", email="a@x.example", phone="1", ip_address="127.0.0.1")

    assert caught.value.status == (401 if on else 403)
    assert secret not in str(caught.value)


def test_a_trial_account_is_ready_in_the_end(sandbox: Sandbox, adapter: SandboxAdapter) -> None:
    public = Provisioning(sandbox.client_id, sandbox.client_secret, adapter=adapter)
    trial = public.activate_trial(name="A", company="A", email="a@x.example", phone="1", ip_address="127.0.0.1")

    assert [public.trial_status(trial=trial).is_done for _ in range(2)] == [False, True]
    with pytest.raises(ValueError, match="language"):
        public.activate_trial(
            name="A", company="A", email="a@x.example", phone="1", ip_address="127.0.0.1", language="FR"
        )


def test_unknown_keys_stay_and_odd_values_do_not_break_reading(client: MailUpClient, sandbox: Sandbox) -> None:
    body = (
        '{"Items":[{"IDRECIPIENT":"7","email":null,"Fields":[{"Id":"x"},5,{"Id":2,"Value":null}],"Mood":"fine"}],'
        '"PageNumber":0,"PageSize":1,"TotalElementsCount":1}'
    )
    sandbox.fail_with("body", status=200, body=body)
    (found,) = client.recipients.subscribed(list_id=1)

    assert (found.id, found.email, dict(found.fields), found.raw["Mood"]) == (7, "", {2: ""}, "fine")


@pytest.mark.slow
def test_the_whole_surface_is_typed_for_a_user_of_the_package(tmp_path: Path) -> None:
    script = tmp_path / "site.py"
    script.write_text(
        "from collections.abc import Iterator\n"
        "from datetime import datetime\n"
        "from django_mailup.mailup import Field, MailUpClient, Message, NewRecipient, Recipient, Sent\n"
        "def use(mailup: MailUpClient, at: datetime) -> None:\n"
        "    found: Iterator[Recipient] = mailup.recipients.subscribed(\n"
        "        list_id=1, where=(Field('Email') == 'a') & ~Field('Name').contains('b'), order=['-idRecipient'])\n"
        "    number: int = mailup.recipients.add(list_id=1, email='a@example.com', fields={'Name': 'Ada'})\n"
        "    by_name: dict[str, str] = {}\n"
        "    mailup.recipients.update(email='a@example.com', fields=by_name)\n"
        "    message: Message = mailup.messages.create(list_id=1, subject='s', content='c')\n"
        "    sent: Sent = mailup.sendings.to_list(list_id=1, message_id=message.id, at=at)\n"
        "    views: int = mailup.statistics.message_views_count(message_id=message.id)\n"
        "    mailup.recipients.import_many((NewRecipient(email=r.email) for r in found), list_id=2)\n"
        "    print(number + views, sent.sending_id)\n"
        "    mailup.recipients.add(list_id='1', email='a')  # type: ignore[arg-type]\n"
        "    mailup.recipients.add(list_id=1, fields={1: 'x'}, mail='a')  # type: ignore[call-arg]\n"
    )
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--follow-imports=silent",
        "--config-file=",
        "--cache-dir",
        str(tmp_path),
        str(script),
    ]
    env = {**os.environ, "MYPYPATH": str(ROOT)}
    checked = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=env)

    assert checked.returncode == 0, checked.stdout
