"""People at the console: a user and a session, made without typing a password.

Every test that looks at a page goes through here; how a log-in itself works is tested in tests/e2e/test_log_in.py.
"""

import re
import secrets
from typing import Any
from urllib.parse import urljoin

import requests

from erpsync.flows.access.sessions import Caller, begin, form_token, new_secret
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Store
from erpsync.store.tables import user_account

COOKIE = "erpsync"
UNKNOWABLE = "no password leads to this"
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def session_of(store: Store, name: str = "ana", *, role: str = "admin") -> str:
    """Return the secret of a new session; the user is made if there is none of that name."""
    secret = new_secret()
    with store.begin() as tx:
        id = tx.execute(user_account.select().where(user_account.c.name == name)).scalar()
        if id is None:
            [id] = new_ids(tx, user_account, 1)
            row = {"id": id, "name": name, "role": role, "password_hash": UNKNOWABLE, "created_by": "wang"}
            insert_many(tx, user_account, [row | {"created_at": tx.now, "password_at": tx.now}])
        begin(tx, id, secret, Caller(address="127.0.0.1", user_agent="tests"))
    return secret


def visitor(store: Store, name: str = "ana", *, role: str = "admin") -> requests.Session:
    """Return a browser, as far as `requests` is one, that has a session at every server of this store."""
    browser = requests.Session()
    browser.headers["Cookie"] = f"{COOKIE}={session_of(store, name, role=role)}"
    return browser


def cookie_for(store: Store, url: str, **who: str) -> dict[str, Any]:
    """Return the cookie of a new session as Playwright takes it."""
    return {"name": COOKIE, "value": session_of(store, **who), "url": url, "httpOnly": True, "sameSite": "Lax"}


def csrf_of(browser: requests.Session) -> str:
    """Return what each form of this browser's session has to carry."""
    return form_token(str(browser.headers["Cookie"]).partition("=")[2])


Filled = str | list[str]


def act(browser: requests.Session, url: str, path: str, *, once: str = "", **form: Filled) -> requests.Response:
    """Send the form of an act as a page of this browser's session does; return the page that it leads to."""
    keys = {"csrf": csrf_of(browser), "once": once or secrets.token_urlsafe(12)}
    answer = browser.post(f"{url}{path}", data=form | keys, timeout=60, allow_redirects=False)
    if answer.is_redirect:  # followed by hand: `requests` takes no cookie along that stands in a header
        answer = browser.get(urljoin(url, answer.headers["Location"]), timeout=60)
    answer.encoding = "utf-8"
    return answer
