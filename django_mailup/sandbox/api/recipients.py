"""Recipients of the e-mail channel, and their subscriptions to lists."""

from __future__ import annotations

import json
from typing import Any

from ..accounts import format_opt_in_date
from ..api_call import EMPTY, Call, JSONText
from ..errors import APIError
from ..recipients import OptIn, Recipient, TwoRecipients
from .routes import route

OPT_IN_STATUS = {"subscribed": "OPTIN", "unsubscribed": "OPTOUT", "pending": "PENDING"}
"""MailUp's words for the status of an opt-in."""


def recipient_json(call: Call, recipient: Recipient) -> dict[str, Any]:
    return {
        "Email": recipient.email,
        "Fields": [
            {"Description": name, "Id": number, "Value": recipient.fields.get(number, "")}
            for number, name in call.account.field_names.items()
        ],
        "MobileNumber": recipient.mobile_number or None,
        "MobilePrefix": recipient.mobile_prefix or None,
        "Name": recipient.name,
        "idRecipient": recipient.id,
    }


def recipient_json_text(call: Call, recipient: Recipient) -> JSONText:
    """Return the JSON of a recipient as text. It is cached until the recipient changes: exports read thousands."""
    made_from = (
        recipient.email, recipient.name, recipient.mobile_prefix, recipient.mobile_number,
        tuple(recipient.fields.items()), len(call.account.field_names),
    )  # fmt: skip
    if recipient.json_cache is None or recipient.json_cache[0] != made_from:
        recipient.json_cache = (made_from, JSONText(json.dumps(recipient_json(call, recipient))))
    return JSONText(recipient.json_cache[1])


def recipients_with_status(call: Call, list_id: str, status: str, channel: str = "email") -> Any:
    """Return one page of the recipients whose subscription to a list has this status.

    Only the recipients of the page are turned into JSON, unless the call has a filter or an order.
    """
    found = call.find_list(list_id)
    recipients = [
        recipient
        for recipient in call.account.recipients.values()
        if (opt_in := recipient.opt_ins(channel).get(found.id)) is not None and opt_in.status == status
    ]
    wanted = call.query.get("groups")
    if wanted:
        recipients = [recipient for recipient in recipients if int(wanted) in recipient.group_ids]
    plain = call.query.get("orderby", "").strip('"').casefold().removesuffix(" asc") in ("", "idrecipient")
    if plain and not call.query.get("filterby"):
        page = dict(call.cut_page(recipients))  # they are in the order of their ids: the newest comes last
        page["Items"] = [recipient_json_text(call, recipient) for recipient in page["Items"]]
        return page
    return call.page([recipient_json(call, recipient) for recipient in recipients])


@route("GET", "/Console/List/{list_id}/Recipients/Subscribed")
def subscribed(call: Call, list_id: str) -> Any:
    return recipients_with_status(call, list_id, "subscribed")


@route("GET", "/Console/List/{list_id}/Recipients/Unsubscribed")
def unsubscribed(call: Call, list_id: str) -> Any:
    return recipients_with_status(call, list_id, "unsubscribed")


@route("GET", "/Console/List/{list_id}/Recipients/Pending")
def pending(call: Call, list_id: str) -> Any:
    return recipients_with_status(call, list_id, "pending")


@route("GET", "/Console/List/{list_id}/Recipients/EmailOptins")
def email_opt_ins(call: Call, list_id: str) -> Any:
    found, wanted = call.find_list(list_id), call.query.get("groups")
    return call.page(
        [
            {
                "Email": recipient.email,
                "Optin_Date": format_opt_in_date(opt_in.opted_in_at if opt_in.status != "pending" else None),
                "Optin_Request_Date": format_opt_in_date(opt_in.requested_at), "Optin_Request_IP": None,
                "Optout_Date": format_opt_in_date(opt_in.opted_out_at), "Optout_MsgID": None, "Optout_Subtype": None,
                "Optout_Type": None, "Status": OPT_IN_STATUS[opt_in.status], "idRecipient": recipient.id,
            }
            for recipient in call.account.recipients.values()
            if (opt_in := recipient.email_opt_ins.get(found.id)) is not None
            and (wanted is None or int(wanted) in recipient.group_ids)
        ]
    )  # fmt: skip


@route("GET", "/Console/Recipients")
def search(call: Call) -> Any:
    found = call.search_by_email(call.query.get("email", "").strip('"'))
    return call.page([recipient_json(call, each) for each in found])


@route("GET", "/Console/Recipients/{recipient_id}")
def get(call: Call, recipient_id: str) -> Any:
    return recipient_json(call, call.find_recipient(recipient_id))


def save_from_body(call: Call, list_id: int) -> Recipient:
    """Add or update the recipient in the body of the call, and subscribe it to a list.

    Raises:
        APIError: 404 if the body is only an id, and unknown; 400 if it has neither address nor number, or has those of
            two recipients.
    """
    body = call.body_object()
    if set(body) == {"idRecipient"}:
        recipient = call.find_recipient(body["idRecipient"])
    else:
        if "@" not in str(body.get("Email") or "") and not body.get("MobileNumber"):
            raise APIError(400, "Email or MobileNumber is mandatory.")
        try:
            recipient, _ = call.save_recipient(body)
        except TwoRecipients:
            raise APIError(400, "Email and mobile number belong to two different recipients.") from None
    if recipient.email:
        pending = call.state.options.confirm_makes_pending
        call.account.subscribe(recipient, list_id, "email", call.query, call.now, confirm_makes_pending=pending)
    if recipient.mobile_number:
        call.account.subscribe(recipient, list_id, "sms", {}, call.now)
    return recipient


@route("POST", "/Console/List/{list_id}/Recipient")
def add(call: Call, list_id: str) -> Any:
    return save_from_body(call, call.find_list(list_id).id).id


@route("POST", "/Console/Group/{group_id}/Recipient")
def add_to_group(call: Call, group_id: str) -> Any:
    recipient = save_from_body(call, call.find_list_of_group(group_id).id)
    recipient.group_ids.add(int(group_id))
    return recipient.id


@route("PUT", "/Console/Recipient/Detail")
def update(call: Call) -> Any:
    body = call.body_object()
    by_id = call.account.recipients.get(int(body.get("idRecipient") or 0))
    known = by_id or call.find_by_email(str(body.get("Email") or ""))
    if known is None:
        raise APIError(404, "The recipient does not exist.")
    known.name = body["Name"] if body.get("Name") is not None else known.name
    for each in body.get("Fields") or []:
        known.fields[int(each["Id"])] = str(each.get("Value") or "")
    return recipient_json(call, known)


@route("POST", "/Console/List/{list_id}/Subscribe/{recipient_id}")
def subscribe(call: Call, list_id: str, recipient_id: str) -> Any:
    call.find_recipient(recipient_id).email_opt_ins[call.find_list(list_id).id] = OptIn("subscribed", call.now)
    return EMPTY


@route("DELETE", "/Console/List/{list_id}/Unsubscribe/{recipient_id}")
def unsubscribe(call: Call, list_id: str, recipient_id: str) -> Any:
    found, recipient = call.find_list(list_id), call.find_recipient(recipient_id)
    before = recipient.email_opt_ins.get(found.id)
    opted_in_at = before.opted_in_at if before else call.now
    recipient.email_opt_ins[found.id] = OptIn("unsubscribed", opted_in_at, opted_out_at=call.now)
    return EMPTY


@route("DELETE", "/Console/List/{list_id}/Recipient/{recipient_id}")
def remove(call: Call, list_id: str, recipient_id: str) -> Any:
    found, recipient = call.find_list(list_id), call.find_recipient(recipient_id)
    recipient.email_opt_ins.pop(found.id, None)
    recipient.sms_opt_ins.pop(found.id, None)
    recipient.group_ids -= {group.id for group in found.groups}
    return EMPTY


@route("DELETE", "/Console/Recipients/{recipient_id}")
def delete(call: Call, recipient_id: str) -> Any:
    call.account.recipients.remove(call.find_recipient(recipient_id))
    return EMPTY
