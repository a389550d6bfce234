"""The HTML pages that a browser shows: login with consent, errors, and the sandbox's own control page."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from werkzeug.wrappers import Response

_STYLE = """
:root { color-scheme: light; font-family: system-ui, "DejaVu Sans", sans-serif; line-height: 1.5; }
body { margin: 0; background: #f2f4f7; color: #1d2733; }
main { max-width: 26rem; margin: 8vh auto; padding: 2rem; background: #fff; border-radius: .75rem;
       box-shadow: 0 1px 3px #0002; }
main.wide { max-width: 46rem; }
h1 { font-size: 1.4rem; margin: 0 0 .5rem; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem; }
p.note { color: #5a6775; font-size: .9rem; }
p.error { background: #fdecec; color: #8b1a1a; padding: .6rem .8rem; border-radius: .4rem; }
label { display: block; margin: .9rem 0 .2rem; font-weight: 600; font-size: .9rem; }
input { width: 100%; box-sizing: border-box; padding: .55rem .7rem; font: inherit;
        border: 1px solid #b9c3cf; border-radius: .4rem; }
button { margin: 1.1rem .5rem 0 0; padding: .55rem 1rem; border: 0; border-radius: .4rem; font: inherit;
         cursor: pointer; background: #0b6bcb; color: #fff; }
button.quiet { background: #e4e9ef; color: #1d2733; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #e4e9ef; }
form.inline { display: inline; }
"""


def _page(title: str, body: str, *, status: int = 200, wide: bool = False) -> Response:
    html = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main{' class=wide' if wide else ''}>{body}</main></body></html>"
    )
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}
    return Response(html, status, mimetype="text/html", headers=headers)


def login_page(fields: Mapping[str, str], *, failed: bool = False) -> Response:
    """Return the login and consent page, with status 401 after a wrong password.

    `fields` are the parameters of the authorization request; the form sends them again.
    """
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
    error = '<p class="error">User name or password is wrong.</p>' if failed else ""
    body = (
        "<h1>MailUp sandbox</h1>"
        "<p>An application asks to act on your MailUp account. Log in to allow it.</p>"
        f'{error}<form method="post">{hidden}'
        '<label for="username">User name</label>'
        '<input id="username" name="username" autocomplete="username" placeholder="m12345" autofocus>'
        '<label for="password">Password</label>'
        '<input id="password" name="password" type="password" autocomplete="current-password">'
        '<button name="decision" value="allow">Log in and allow</button>'
        '<button class="quiet" name="decision" value="deny">Deny</button></form>'
        '<p class="note">This is a local stand-in for MailUp. Try m12345 or m67890, password “sandbox”.</p>'
    )
    return _page("MailUp sandbox: log in", body, status=200 if not failed else 401)


def error_page(sentence: str) -> Response:
    """Return a page (status 400) that shows an error which must not be sent to the client by a redirect."""
    return _page("MailUp sandbox", f'<h1>MailUp sandbox</h1><p class="error">{escape(sentence)}</p>', status=400)


def control_page(options: Mapping[str, Any], summary: Mapping[str, Any], companies: Mapping[str, str]) -> Response:
    """Return the control page, with buttons for what a MailUp user or an outage would do.

    `summary` is that of State; `companies` has the company of each user's account, by user name.
    """
    account_rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(company)}</td><td>"
        + "".join(
            f'<form class="inline" method="post" action="/_sandbox/{action}">'
            f'<input type="hidden" name="username" value="{escape(name)}">'
            f'<button class="quiet">{label}</button></form>'
            for action, label in (("revoke", "Withdraw consent"), ("expire", "Expire access tokens"))
        )
        + "</td></tr>"
        for name, company in companies.items()
    )
    counter_rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{value}</td></tr>" for name, value in summary["counters"].items()
    )
    options_rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(str(value))}</td></tr>" for name, value in options.items()
    )
    body = (
        "<h1>MailUp sandbox</h1><p>A local stand-in for MailUp's OAuth 2 server and REST API.</p>"
        f"<h2>Accounts</h2><table>{account_rows}</table>"
        '<h2>Outage</h2><form class="inline" method="post" action="/_sandbox/outage"><button class="quiet">Answer 503 '
        'from now on</button></form><form class="inline" method="post" action="/_sandbox/recover">'
        '<button class="quiet">'
        "Recover</button></form>"
        f"<h2>Counters</h2><table>{counter_rows}</table><h2>Options</h2><table>{options_rows}</table>"
    )
    return _page("MailUp sandbox", body, wide=True)
