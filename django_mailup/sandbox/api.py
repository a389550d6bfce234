"""The REST API: bearer tokens, the limit of calls, and the operations on account, lists and groups."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from werkzeug.wrappers import Request, Response

from .faults import error_answer
from .state import Account, State, User

PREFIX: Final = re.compile(r"/api/v1\.1/rest/(console|mailstatistics)service\.svc(?=/)", re.IGNORECASE)
DEFAULT_PAGE_SIZE: Final = 20


class Failed(Exception):
    """An operation's error, with MailUp's status, description and name."""

    def __init__(self, status: int, description: str, name: str | None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.name = name


def answer(state: State, request: Request) -> Response:
    """Answer one REST request. Paths and query parameters are read in any letter case, as IIS does."""
    path = PREFIX.sub("", request.path)
    try:
        user = _authenticate(state, request)
        for method, pattern, operation in _OPERATIONS:
            match = re.fullmatch(pattern, path, re.IGNORECASE)
            if match and method == request.method:
                _limit(state, user, f"{method} {pattern}")
                if not user.accepted_terms:
                    raise Failed(
                        403,
                        "Authorization error: Contract not signed,"
                        " please login in console and accept terms of service.",
                        "Forbidden",
                    )
                state.counters["api_calls"] += 1
                return Response(
                    json.dumps(operation(state, request, user.account, user, **match.groupdict())).replace("/", "\\/"),
                    mimetype="application/json",
                )
        raise Failed(404, "Endpoint not found.", "NotFound")
    except Failed as failed:
        return _failure(state, failed)


def _authenticate(state: State, request: Request) -> User:
    scheme, _, access_token = request.headers.get("Authorization", "").partition(" ")
    pair = state.find_access(access_token.strip()) if scheme.casefold() == "bearer" else None
    if pair is None:
        status = state.options.malformed_token_status
        raise Failed(
            status, "Authorization error: Invalid access token", "Unauthorized" if status == 401 else "BadRequest"
        )
    if not state.is_live(pair):
        raise Failed(401, "Authorization error: Access token is expired", "Unauthorized")
    return pair.user


def _limit(state: State, user: User, operation: str) -> None:
    actual = state.over_limit(user.username, operation)
    if actual:
        limit = state.options.rate_limit
        raise Failed(
            429,
            "Authorization error (too_many_requests): Too many requests."
            f" Max:{limit} calls per second , actual:{actual}.",
            None,
        )


def _failure(state: State, failed: Failed) -> Response:
    body = state.options.error_body
    if body == "json":
        response = error_answer(failed.status, failed.description, failed.name)
    elif body == "html":
        response = Response("<html><body><h1>Error</h1></body></html>", failed.status, mimetype="text/html")
    else:
        response = Response("", failed.status)
    if failed.status == 429 and state.options.retry_after:
        response.headers["Retry-After"] = "1"
    return response


def _paged(state: State, request: Request, items: list[Any]) -> dict[str, Any]:
    """MailUp's envelope: pages count from zero, of 20 unless another size is asked for."""
    query = {key.casefold(): value for key, value in request.args.items()}
    try:
        number, size = int(query.get("pagenumber", 0)), int(query.get("pagesize", DEFAULT_PAGE_SIZE))
    except ValueError:
        raise Failed(400, "pageNumber and pageSize must be numbers.", "BadRequest") from None
    size = min(max(size, 1), state.options.max_page_size)
    skipped = max(number, 0) * size
    return {
        "IsPaginated": len(items) > size,
        "Items": items[skipped : skipped + size],
        "PageNumber": number,
        "PageSize": size,
        "Skipped": skipped,
        "TotalElementsCount": len(items),
    }


def _info(state: State, request: Request, account: Account, user: User) -> dict[str, Any]:
    return {
        "Company": account.company,
        "ExpiryDate": "2030-01-01 00:00:00.000",
        "IsTrial": account.is_trial,
        "UID": account.uid,
        "Url": f"{user.username}.sandbox.example",
        "Username": user.username,
        "Version": "9.0.0",
    }


def _details(state: State, request: Request, account: Account, user: User) -> dict[str, Any]:
    return {
        **_info(state, request, account, user),
        "AutoRenewal": False,
        "CreditsByList": [{"Credit": 0, "ListId": each.id} for each in account.lists],
        "Email": account.email,
        "Lang": "IT",
        "Plan": 1,
        "TotalCredits": 1000,
    }


def _lists(state: State, request: Request, account: Account, user: User) -> dict[str, Any]:
    items = [
        {
            "Company": "",
            "Description": each.description,
            "Name": each.name,
            "idList": each.id,
            "listGuid": f"00000000-0000-4000-8000-{int(account.uid):06d}{each.id:06d}",
        }
        for each in account.lists
    ]
    return _paged(state, request, items)


def _groups(state: State, request: Request, account: Account, user: User, *, list_id: str) -> dict[str, Any]:
    found = next((each for each in account.lists if each.id == int(list_id)), None)
    if found is None:
        raise Failed(404, f"List {list_id} does not exist.", "NotFound")
    items = [
        {"Count": None, "Deletable": deletable, "Name": name, "Notes": notes, "idGroup": group_id, "idList": found.id}
        for group_id, name, notes, deletable in found.groups
    ]
    return _paged(state, request, items)


_OPERATIONS: Final[list[tuple[str, str, Callable[..., Any]]]] = [
    ("GET", r"/Console/Authentication/Info", _info),
    ("GET", r"/Console/Authentication/Details", _details),
    ("GET", r"/Console/User/Lists", _lists),
    ("GET", r"/Console/List/(?P<list_id>\d+)/Groups", _groups),
]
