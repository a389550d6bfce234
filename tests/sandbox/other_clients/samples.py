"""MailUp's own samples: for PHP (of 2013 and of today), Python, C# and Java (github.com/mailup/rest-samples-*)."""

from __future__ import annotations

import json

from .call import CONSOLE, PAIR, REFUSED, STATISTICS, TOKEN, Call, OtherClient, World, page

LIST = f"{CONSOLE}/List/1"
GROUP_JSON = '{"Deletable":true,"Name":"test import","Notes":"test import"}'
PEOPLE_JSON = json.dumps(
    [
        {
            "Email": "test@test.test", "Fields": [{"Description": "String description", "Id": 1, "Value": "Text"}],
            "MobileNumber": "", "MobilePrefix": "", "Name": "John Smith",
        }
    ]
)  # fmt: skip
IMAGE_JSON = '{"Base64Data": "iVBORw0KGgo=", "Name": "Avatar"}'
# PHP puts the JSON together by hand: with escaped slashes, line breaks, and ids as text.
MESSAGE_JSON = r"""{
            "Subject": "Test Message Objective-C",
            "idList": "1",
            "Content": "<html><body><p>Hello<\/p><img src=\"\/images\/a.png\" \/><\/body><\/html>",
            "Embed": true,
            "IsConfirmation": true,
            "Fields": [],
            "Notes": "Some notes",
            "Tags": [],
            "TrackingInfo": {"CustomParams": "", "Enabled": true, "Protocols": ["http"]}
        }"""
ATTACHMENT_JSON = (
    '{"Base64Data": "QmFzZSA2NCBTdHJlYW0=", "Name": "TestFile.txt", "Slot": 1, "idList": 1, "idMessage": $message}'
)
FORM = {"Content-type": "application/x-www-form-urlencoded"}
IMPORT = {"idImport": int, "Completed": bool, "CreatedRecipients": int}


def headers(verb: str, body: str | None) -> dict[str, str]:
    """What the samples send with libcurl: for GET and DELETE too a type, and a length of 0."""
    length = len(body or "") if verb in ("POST", "PUT") else 0
    return {
        "Content-type": "application/json", "Content-length": str(length), "Accept": "application/json",
        "Authorization": "Bearer $access_token",
    }  # fmt: skip


def csharp_headers(verb: str, body: str | None) -> dict[str, str]:
    """What .NET's HttpWebRequest sends: it waits for "100 Continue" before each body."""
    waits = {"Expect": "100-continue"} if body else {}
    return {**headers(verb, body), **waits}


def no_headers(verb: str, body: str | None) -> dict[str, str]:
    return {"Accept": "*/*"}


def form_headers(verb: str, body: str | None) -> dict[str, str]:
    return {**FORM, "Accept": "application/json"}


def form_and_basic_headers(verb: str, body: str | None) -> dict[str, str]:
    return {**FORM, "Accept": "application/json", "Authorization": "$basic"}


def updated_recipient(world: World) -> str:
    """Return the first subscriber, as it was read, with another first field."""
    first = world.read("/List/1/Recipients/Subscribed")["Items"][0]
    first["Fields"][0] = {"Description": "", "Id": 1, "Value": "Updated value"}
    return json.dumps(first)


def tagged_message(world: World) -> str:
    """Return a message, as it was read, with a tag whose id is a number."""
    message = world.read("/List/1/Email/$message")
    message["Tags"] = [{"Id": int(world.names["tag"]), "Enabled": True, "Name": "promo"}]
    return json.dumps(message)


def tagged_message_of_php(world: World) -> str:
    """Return a message, as it was read, with a tag whose id is a text, and with escaped slashes."""
    message = world.read("/List/1/Email/$message")
    message["Tags"] = [{"Id": world.names["tag"], "Enabled": True, "Name": "promo"}]
    return json.dumps(message).replace("/", "\\/")


PASSWORD = Call(
    "password", "POST", TOKEN, headers=form_and_basic_headers, gives=PAIR,
    body="grant_type=password&username=$username&password=sandbox&client_id=$client_id&client_secret=$client_secret",
)  # fmt: skip
REFRESH = Call(
    "refresh", "POST", TOKEN, headers=form_headers, gives=PAIR,
    body="client_id=$client_id&client_secret=$client_secret&refresh_token=$refresh_token&grant_type=refresh_token",
)  # fmt: skip
CODE = Call(
    "code", "GET", f"{TOKEN}?code=$code&grant_type=authorization_code", gives=PAIR, headers=no_headers
)  # without credentials of the client

READ_GROUPS = Call("1: groups", "GET", f"{LIST}/Groups", gives=page({"Name": "Regulars", "idGroup": 9}))
COMMON = [
    READ_GROUPS,
    Call("1: fields", "GET", f"{CONSOLE}/Recipient/DynamicFields", gives=page({"Id": 27})),
    Call("1: import", "POST", f"{CONSOLE}/Group/$group/Recipients", PEOPLE_JSON, gives=int),
    Call("1: import's status", "GET", f"{CONSOLE}/Import/$job", gives=IMPORT),
    Call("2: members", "GET", f"{CONSOLE}/Group/$group/Recipients", gives=page({"idRecipient": int})),
    Call("2: unsubscribe", "DELETE", f"{CONSOLE}/Group/$group/Unsubscribe/$ada"),
    Call("3: subscribers", "GET", f"{LIST}/Recipients/Subscribed", gives=page({"Fields": [{"Id": 1}]})),
    Call(
        "3: update", "PUT", f"{CONSOLE}/Recipient/Detail", updated_recipient,
        gives={"idRecipient": int, "Fields": [{"Id": 1, "Value": "Updated value"}]},
    ),
    Call("4: templates", "GET", f"{LIST}/Templates", gives=page({"Id": 1}, {"Id": 2})),
    Call("4: message of a template", "POST", f"{LIST}/Email/Template/2", gives={"idMessage": int}),
    Call("5: upload", "POST", f"{LIST}/Images", IMAGE_JSON, gives=[str]),
    Call("5: images", "GET", f"{CONSOLE}/Images", gives=[str]),
    Call("5: attachment", "POST", f"{LIST}/Email/$message/Attachment/1", ATTACHMENT_JSON, gives=[{"Slot": 1}]),
    Call("5: details", "GET", f"{LIST}/Email/$message", gives={"idMessage": int, "Attachments": [{"Slot": 1}]}),
    Call("7: messages", "GET", f"{LIST}/Emails", gives=page({"idMessage": int, "Subject": "News"})),
    Call("7: send", "POST", f"{LIST}/Email/$message/Send", gives={"Sent": 1}),
    Call("form: a call of one's own", "GET", f"{CONSOLE}/Authentication/Info", gives={"Username": str, "UID": "4321"}),
]  # fmt: skip
"""The calls of the scenarios 1 to 7 that the samples in all languages make in the same way."""

READ_MESSAGES = Call("4: messages", "GET", f"{LIST}/Emails", gives=page({"idMessage": int}))
CREATE_MESSAGE = Call("5: message", "POST", f"{LIST}/Email", MESSAGE_JSON, gives={"idMessage": int})
CREATE_TAG = Call("6: tag", "POST", f"{LIST}/Tag", '"test tag"', gives={"Id": int, "Name": "test tag"})
SAVE_TAG = Call("6: save", "PUT", f"{LIST}/Email/$message", tagged_message, gives={"idMessage": int})
CREATE_GROUP = Call(
    "1: create the group", "POST", f"{LIST}/Group", GROUP_JSON, gives={"Name": "test import", "idGroup": int}
)
READ_VIEWS = Call(
    "8: views", "GET", f"{STATISTICS}/Message/$message/List/Views?pageSize=5&pageNum=0",
    gives=page({"Email": "ada@example.com"}, size=5),
)  # fmt: skip
OLD_VIEWS = Call(
    "8: views", "GET", f"{STATISTICS}/Message/$message/Views/List/Last/4?pageSize=5&pageNum=0", gives=REFUSED,
    status=404, bug="the path of version 1.0",
)  # fmt: skip

PHP = OtherClient(
    "php", headers,
    [
        PASSWORD, REFRESH, CODE, *COMMON, CREATE_MESSAGE, CREATE_TAG, READ_VIEWS,
        Call(
            "1: create the group", "POST", f"{CONSOLE}/List/100/Groups", GROUP_JSON, gives=REFUSED, status=404,
            bug="creates the group with the path that lists groups",
        ),
        Call(
            "1: import without a group", "POST", f"{CONSOLE}/Group//Recipients", PEOPLE_JSON, gives=REFUSED, status=404,
            bug='goes on without an id if no group is called "test import"',
        ),
        Call(
            "4: messages", "GET", f"{STATISTICS}/Console/List/1/Emails", gives=REFUSED, status=404,
            bug='asks the statistics, because it writes "console" for "Console"',
        ),
        Call("6: save", "PUT", f"{LIST}/Email/$message", tagged_message_of_php, gives={"idMessage": int}),
    ],
)  # fmt: skip

PYTHON = OtherClient(
    "python", headers,
    [
        PASSWORD, REFRESH, CODE, *COMMON, READ_MESSAGES, CREATE_MESSAGE, SAVE_TAG, READ_VIEWS,
        Call(
            "6: tag", "POST", f"{LIST}/Tag", "test tag", gives=REFUSED, status=400, bug="leaves out the double quotes"
        ),
    ],
)  # fmt: skip

CSHARP = OtherClient(
    "csharp", csharp_headers,
    [PASSWORD, REFRESH, CODE, *COMMON, CREATE_GROUP, READ_MESSAGES, CREATE_MESSAGE, CREATE_TAG, SAVE_TAG, OLD_VIEWS],
)  # fmt: skip
"""It looks for `Items` in the answers that are one object, and would fail there with MailUp too."""

JAVA = OtherClient(
    "java", headers,
    [PASSWORD, REFRESH, CODE, *COMMON, CREATE_GROUP, READ_MESSAGES, CREATE_MESSAGE, CREATE_TAG, SAVE_TAG, READ_VIEWS],
)  # fmt: skip

PHP_2013 = OtherClient(
    "php-2013", headers,
    [
        REFRESH, CODE,
        Call(
            "password", "GET",
            "/Authorization/Authorization?client_id=$client_id&client_secret=$client_secret&response_type=code"
            "&username=$username&password=sandbox",
            headers=no_headers, status=404, bug="logs in at a path that no document has",
        ),
        Call(
            "1: groups", "GET", "/API/v1/Rest/ConsoleService.svc/Console/List/1/Groups", status=404,
            bug="calls version 1.0, which MailUp switched off in 2018",
        ),
        Call(
            "8: views", "GET",
            "/API/v1/Rest/MailStatisticsService.svc/Message/$message/Views/List/Last/4?pageSize=5&pageNum=0",
            status=404, bug="calls version 1.0, which MailUp switched off in 2018",
        ),
    ],
)  # fmt: skip
"""Its calls have the paths of today's PHP sample, below another base URL."""


def logon_target(redirect_uri: str) -> str:
    """Return where the samples send the browser: with the client's secret, and a redirect URI that isn't encoded."""
    return (
        "/Authorization/OAuth/LogOn?client_id=$client_id&client_secret=$client_secret&response_type=code"
        f"&redirect_uri={redirect_uri}"
    )
