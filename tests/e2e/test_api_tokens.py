"""Tokens of the API, made and ended at the command line."""

import pytest

from erpsync.flows.access.tokens import access_of
from erpsync.store.db.store import Store
from tests.e2e.command_desk import Desk


def test_a_token_is_printed_once_and_kept_as_a_digest(desk: Desk) -> None:
    ran = desk.run("token", "create", "erp", "--scope", "operate")
    token = ran.out.strip()

    listed = desk.json("token", "list")

    assert (ran.code, len(token), token[:5]) == (0, 48, "erps_")
    assert "cannot be shown again" in ran.err
    assert [(each["name"], each["scope"], each["last_used_at"]) for each in listed] == [("erp", "operate", None)]
    files = [path.read_bytes() for path in (desk.folder / "var").iterdir()]
    assert not any(token.encode() in content for content in files)


def test_a_revoked_token_opens_nothing_and_keeps_its_name(desk: Desk) -> None:
    token = desk.json("token", "create", "erp")["token"]
    store = Store.open(f"sqlite:///{desk.folder}/var/erpsync.db")
    before = access_of(store, token)

    assert desk.run("token", "revoke", "erp").code == 0

    assert before is not None
    assert (before.scope, before.allows("operate"), access_of(store, token)) == ("read", False, None)
    store.close()
    again = desk.run("token", "create", "erp")
    assert (again.code, again.err) == (
        1,
        "erpsync: token erp was revoked, and its name stays with what it did; choose another name\n",
    )
    assert desk.run("token", "revoke", "erp").code == 1
    assert desk.json("token", "list")[0]["last_used_at"] is not None


@pytest.mark.parametrize(("words", "code"), [(("bad name",), 1), (("erp", "--scope", "all"), 2), ((), 2)])
def test_a_token_that_cannot_be_made_is_refused_in_one_line(desk: Desk, words: tuple[str, ...], code: int) -> None:
    ran = desk.run("token", "create", *words)

    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
