"""The recipe "Add an endpoint" with a made-up endpoint of tags."""

from __future__ import annotations

from .checkout import Change, Checkout, Steps, log

RESOURCE = "django_mailup/mailup/resources/tags.py"
EXPORTS = "django_mailup/mailup/__init__.py"
SANDBOX = "django_mailup/sandbox/api/tags.py"
CASES = "tests/mailup/test_operations.py"
DOCS = "docs/api.md"

RECORD = '''class TagUsage(Record):
    """How many messages have a tag."""

    messages: int = key("Messages")


'''
OPERATION = (
    'USAGE = Operation("tags.usage", "GET", "/Console/List/{list_id}/Tag/{tag_id}/Usage", Source.INFERRED, TagUsage)\n'
)
METHOD = '    usage = single_call(CallTakes.list_and_tag, USAGE, "Return how many messages have a tag.")\n\n'
ROUTE = """

@route("GET", "/Console/List/{list_id}/Tag/{tag_id}/Usage")
def usage(call: Call, list_id: str, tag_id: str) -> Any:
    find_tag(call, list_id, tag_id)
    return {"Messages": 5}
"""
CASE = """    "tags.usage": Case(
        lambda o: o.tags.usage(list_id=1, tag_id=o.tag),
        "/Console/List/1/Tag/{tag}/Usage",
        lambda r, o: (type(r).__name__, r.messages) == ("TagUsage", 5),
    ),
"""


def add_method(checkout: Checkout, commands: list[str]) -> None:
    checkout.replace(RESOURCE, "import DOCUMENTED, Operation", "import DOCUMENTED, Operation, Source")
    checkout.insert(RESOURCE, RECORD, before="# fmt: off\n")
    checkout.insert(RESOURCE, OPERATION, before="# fmt: on\n")
    checkout.insert(RESOURCE, METHOD, before="    def _update(")


def export_record(checkout: Checkout, commands: list[str]) -> None:
    checkout.replace(EXPORTS, "import Tag\n", "import Tag, TagUsage\n")
    checkout.insert(EXPORTS, '    "TagUsage",\n', before='    "Template",\n')


def add_route(checkout: Checkout, commands: list[str]) -> None:
    checkout.append(SANDBOX, ROUTE)


def add_case(checkout: Checkout, commands: list[str]) -> None:
    checkout.insert(CASES, CASE, before='    "tags.delete": Case(\n')


def print_tables(checkout: Checkout, commands: list[str]) -> None:
    (command,) = commands
    before, head, _ = checkout.read(DOCS).partition("| method | verb |")
    assert head
    checkout.write(DOCS, before + checkout.output(command))


STEPS: Steps = [
    [Change("django_mailup/mailup/resources/", add_method, f"{CASES}::test_every_known_operation_has_a_case")],
    [Change(EXPORTS, export_record, "tests/mailup/test_records.py::test_the_records_of_resources_are_public")],
    [Change("django_mailup/sandbox/api/", add_route, f"{CASES}::test_request_and_result[kind-tags.usage]")],
    [Change(CASES, add_case, f"{CASES}::test_every_known_operation_has_a_case")],
    [Change(DOCS, print_tables, "tests/test_recipes.py::test_the_table_of_operations_is_complete")],
    [Change("CHANGELOG.md", log)],
]
