"""Every command that only looks, on every channel that ships as an example: switched on, without a single secret."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from erpsync.core.policy import OrderPolicy, PollPolicy, StockPolicy
from erpsync.flows.context import Channel
from erpsync.flows.records.batch import letter_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import Head, Raw
from erpsync.settings import installed, load
from erpsync.settings.config import key_file
from erpsync.store.db.privacy import read_keys
from erpsync.store.db.store import Store
from erpsync.store.dead_letters import add_dead_letters
from erpsync.store.registry import channel_id_of
from tests.e2e.command_desk import Desk
from tests.house.test_docs_examples import blocks
from tests.support.sources import ROOT

MAIN = "database: sqlite:///var/erpsync.db\nwarehouses: [{id: SH}, {id: GZ}]\n"
SHIPPED = {file.name: file.read_text(encoding="utf-8") for file in sorted((ROOT / "config/channels").glob("*.yaml"))}
WRITTEN = {block.text.splitlines()[0][2:]: block.text for block in blocks("yaml") if "# config/channels/" in block.text}
EXAMPLES = SHIPPED | WRITTEN
LOOKS = (
    "schema|orders list|shipments list|stock list|listings list|bundles list|channels list|dead list|tasks list"
    "|token list|user list|status|prove|prove --windows"
    "|channels show {id}|channels poll {id}|explain 1|orders show 1|dead replay 1"
)
AT = datetime(2026, 11, 22, 2, 5, tzinfo=UTC)
OWN = "id: own\nconnector: webhook_json\nsettings: {secret: '${SHOP_SECRET}'}\n"
SECRET = base64.b64encode(b"k" * 32).decode()


def with_channel(folder: Path, text: str) -> tuple[Desk, str]:
    """Return a desk with this channel, switched on, in a database that knows it; and the channel's id."""
    desk = Desk(folder)
    desk.write("erpsync.yaml", MAIN)
    desk.write("channels/it.yaml", text.replace("enabled: false", "enabled: true"))
    id = re.search(r"^id: (\S+)", text, re.MULTILINE)
    assert id is not None
    assert desk.run("migrate").code == 0
    assert desk.run("channels", "backfill", id[1]).code == 0
    return desk, id[1]


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_command_that_looks_works_on_every_example_without_its_secrets(tmp_path: Path, example: str) -> None:
    desk, id = with_channel(tmp_path, EXAMPLES[example])

    ran = {words: desk.run(*words.format(id=id).split()) for words in LOOKS.split("|")}

    nothing_read = {"status", "prove", "prove --windows", "explain 1", "orders show 1", "dead replay 1"}
    assert {words: it.err for words, it in ran.items() if "unexpected" in it.err} == {}
    assert {words for words, it in ran.items() if it.code} - nothing_read == set()
    assert {it.code for it in ran.values()} <= {0, 1}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_class_that_is_asked_for_its_roles_is_the_one_that_is_made(tmp_path: Path, example: str) -> None:
    desk, id = with_channel(tmp_path, EXAMPLES[example])
    registry = installed()
    name = re.search(r"^connector: (\S+)", EXAMPLES[example], re.MULTILINE)
    assert name is not None
    kind = registry.load(name[1])
    bare = kind.Settings.model_construct(**settings_of(desk, id))

    made = kind.__new__(kind, bare, None, None)

    assert type(made) is kind.played_by(bare)


def settings_of(desk: Desk, id: str) -> dict[str, object]:
    """Return the settings as the configuration holds them."""
    channel = load(desk.folder, registry=installed(), environ={}, secrets=False).require().channel(id)
    assert channel is not None
    assert isinstance(channel.settings, BaseModel)
    return dict(channel.settings)


# -- reading a dead letter again


def with_letter(folder: Path, text: str) -> Desk:
    """Return a desk with an order that could not be read when it came, and can be now."""
    desk, id = with_channel(folder, text)
    payload = json.loads(next(block.text for block in blocks("json") if block.name == "order"))
    head = Head(external_id="W-1001", version_at=AT, digest="d", read_from=AT, read_to=AT, row=payload)
    raw = Raw(head=head, payload=payload, read_from=AT, read_to=AT)
    store = Store.open(f"sqlite:///{folder}/var/erpsync.db", vault=read_keys(key_file(folder / "var/erpsync.db")))
    with store.begin() as tx:
        channel_id = channel_id_of(tx.connection, id)
        assert channel_id is not None
        channel = Channel(
            id=channel_id,
            name=id,
            kind="",
            enabled=True,
            poll=PollPolicy(),
            orders=OrderPolicy(),
            stock=StockPolicy(),
        )
        add_dead_letters(tx, [letter_of(channel, "order", raw, PayloadError("was wrong", path="$"))])
    store.close()
    return desk


@pytest.mark.concurrent("processes")
def test_a_record_is_read_anew_with_the_secrets_of_its_own_channel_only(tmp_path: Path) -> None:
    desk = with_letter(tmp_path, OWN)
    desk.write("channels/other.yaml", OWN.replace("own", "other").replace("SHOP_SECRET", "NOT_HERE"))

    ran = desk.apart("dead", "replay", "1", "--json", SHOP_SECRET=SECRET)

    assert (ran.code, ran.json) == (0, {"replayed": [1], "refused": []})
    assert [each["external_id"] for each in desk.json("orders", "list")] == ["W-1001"]


def test_a_record_whose_connector_cannot_be_made_here_stays_and_says_what_is_missing_and_who_can(
    tmp_path: Path,
) -> None:
    ran = with_letter(tmp_path, OWN).run("dead", "replay", "1")

    assert (ran.code, ran.out) == (1, "0 replayed, 1 refused\n")
    assert "environment variable SHOP_SECRET is not set" in ran.err
    assert "POST /api/v1/dead-letters/ID/replay" in ran.err
