"""The SMS channel: recipients by mobile number, text messages, and sending them."""

from __future__ import annotations

from typing import Any

from ..accounts import Message, format_date, format_opt_in_date
from ..api_call import EMPTY, Call
from ..errors import APIError
from . import imports, messages, recipients, sendings
from .routes import route


@route("POST", "/Console/Sms/List/{list_id}/Recipients")
def import_to_list(call: Call, list_id: str) -> Any:
    return imports.begin_import(call, call.find_list(list_id).id, None, "sms")


@route("POST", "/Console/Sms/Group/{group_id}/Recipients")
def import_to_group(call: Call, group_id: str) -> Any:
    return imports.begin_import(call, call.find_list_of_group(group_id).id, int(group_id), "sms")


@route("GET", "/Console/Sms/List/{list_id}/Recipients/Subscribed")
def subscribed(call: Call, list_id: str) -> Any:
    return recipients.recipients_with_status(call, list_id, "subscribed", "sms")


@route("GET", "/Console/Sms/List/{list_id}/Recipients/Unsubscribed")
def unsubscribed(call: Call, list_id: str) -> Any:
    return recipients.recipients_with_status(call, list_id, "unsubscribed", "sms")


@route("GET", "/Console/Sms/List/{list_id}/Recipients/Pending")
def pending(call: Call, list_id: str) -> Any:
    return recipients.recipients_with_status(call, list_id, "pending", "sms")


@route("GET", "/Console/Sms/List/{list_id}/Recipients/SmsOptins")
def opt_ins(call: Call, list_id: str) -> Any:
    """Return the opt-ins of a list, or with `Groups` those of a group's members, as the client MailUpPZ asks."""
    found, wanted = call.find_list(list_id), call.query.get("groups")
    return call.page(
        [
            {
                "MobileNumber": recipient.mobile_number, "MobilePrefix": recipient.mobile_prefix,
                "Optin_Date": format_opt_in_date(opt_in.opted_in_at),
                "Status": recipients.OPT_IN_STATUS[opt_in.status], "idRecipient": recipient.id,
            }
            for recipient in call.account.recipients.values()
            if (opt_in := recipient.sms_opt_ins.get(found.id)) is not None
            and (wanted is None or int(wanted) in recipient.group_ids)
        ]
    )  # fmt: skip


def text_message_json(found: Message) -> dict[str, Any]:
    body = found.body
    return {
        "Content": body.get("Content") or "", "CreationDate": format_date(found.created_at),
        "Fields": body.get("Fields") or [], "Notes": body.get("Notes") or "", "Sender": body.get("Sender") or "",
        "Subject": body.get("Subject") or "", "Tags": body.get("Tags") or [], "idList": found.list_id,
        "idMessage": found.id,
    }  # fmt: skip


@route("POST", "/Console/Sms/List/{list_id}/Message")
def create(call: Call, list_id: str) -> Any:
    found, body = call.find_list(list_id), messages.message_body(call, list_id)
    made = Message(next(call.account.ids), found.id, body, call.now)
    call.account.text_messages[made.id] = made
    return text_message_json(made)


@route("GET", "/Console/Sms/List/{list_id}/Messages")
def all_messages(call: Call, list_id: str) -> Any:
    found = call.find_list(list_id)
    texts = [each for each in call.account.text_messages.values() if each.list_id == found.id]
    return call.page([text_message_json(each) for each in texts])


@route("GET", "/Console/Sms/List/{list_id}/Message/{message_id}")
def get(call: Call, list_id: str, message_id: str) -> Any:
    return text_message_json(call.find_message(list_id, message_id, "sms"))


@route("PUT", "/Console/Sms/List/{list_id}/Message/{message_id}")
def update(call: Call, list_id: str, message_id: str) -> Any:
    found = call.find_message(list_id, message_id, "sms")
    messages.message_body(call, list_id)
    found.body = call.updated(found.body)
    return text_message_json(found)


@route("DELETE", "/Console/Sms/List/{list_id}/Message/{message_id}")
def delete(call: Call, list_id: str, message_id: str) -> Any:
    del call.account.text_messages[call.find_message(list_id, message_id, "sms").id]
    return EMPTY


@route("POST", "/Console/Sms/List/{list_id}/Message/{message_id}/Send")
def to_list(call: Call, list_id: str, message_id: str) -> Any:
    found = call.find_message(list_id, message_id, "sms")
    made = sendings.create_sending(call, "sms", found, sendings.subscriber_ids(call, found.list_id, "sms"))
    return sendings.sent_json(made, with_id=False)


@route("POST", "/Console/Sms/Group/{group_id}/Message/{message_id}/Send")
def to_group(call: Call, group_id: str, message_id: str) -> Any:
    parent = call.find_list_of_group(group_id)
    found = call.find_message_by_id(message_id, "sms")
    made = sendings.create_sending(call, "sms", found, sendings.subscriber_ids(call, parent.id, "sms", int(group_id)))
    return sendings.sent_json(made, with_id=False)


@route("POST", "/Console/Sms/Send")
def to_number(call: Call) -> Any:
    body = call.body_object()
    found = call.account.text_messages.get(int(body.get("idMessage") or 0))
    if found is None:
        raise APIError(404, "The message does not exist.")
    number = str(body.get("Number") or "")
    if not number.isdigit():
        raise APIError(400, "Number is mandatory.")
    recipient, _ = call.save_recipient({"MobileNumber": number, "MobilePrefix": body.get("Prefix")})
    call.account.subscribe(recipient, found.list_id, "sms", {}, call.now)
    return sendings.sent_json(sendings.create_sending(call, "sms", found, [recipient.id]), with_id=False)


@route("GET", "/Console/Sms/Sendings/Immediate")
def immediate(call: Call) -> Any:
    return sendings.queue_page(call, "sms", "immediate")


@route("GET", "/Console/Sms/Sendings/Deferred")
def deferred(call: Call) -> Any:
    return sendings.queue_page(call, "sms", "deferred")


@route("GET", "/Console/Sms/Sendings/Undefined")
def undefined(call: Call) -> Any:
    return sendings.queue_page(call, "sms", "undefined")


@route("POST", "/Console/Sms/Sendings/{sending_id}/Immediate")
def start_now(call: Call, sending_id: str) -> Any:
    return sendings.start_sending(call, sending_id, "sms")


@route("GET", "/Console/Sms/Sending/{sending_id}/Deferred")
@route("GET", "/Console/Sms/Sendings/{sending_id}/Deferred")
def earliest(call: Call, sending_id: str) -> Any:
    sendings.find_waiting(call, sending_id, "sms")
    return format_date(call.now + 60)


@route("POST", "/Console/Sms/Sendings/{sending_id}/Deferred")
def schedule(call: Call, sending_id: str) -> Any:
    return sendings.schedule_sending(call, sending_id, "sms")


@route("GET", "/Console/Sms/{message_id}/Sendings/Report")
def report(call: Call, message_id: str) -> Any:
    found = call.find_message_by_id(message_id, "sms")
    return {"Sent": sum(found.deliveries.values()), "idMessage": int(message_id)}


@route("GET", "/Console/Sms/{message_id}/Sendings/ReportDetails")
def report_details(call: Call, message_id: str) -> Any:
    found = call.find_message_by_id(message_id, "sms")
    sent_at = found.send_history[-1]["StartDate"] if found.send_history else format_date(None)
    recipients = [call.account.recipients.get(recipient_id) for recipient_id in found.deliveries]
    rows = [
        {"ErrorCode": "", "Receiver": f"{each.mobile_prefix}{each.mobile_number}".lstrip("+0"), "SentDate": sent_at,
         "Status": 0}
        for each in recipients
        if each is not None
    ]  # fmt: skip
    return {**call.page(rows), "IsPaginated": False, "PageSize": 0, "TotalElementsCount": 0}  # as MailUp documents it
