"""Orders as an operator works with them at the command line."""

import json
import re
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from erpsync.cli.key_file import begin_rotation
from erpsync.settings import installed, load
from erpsync.store.db.store import Store
from erpsync.store.nodes import take_configuration
from tests.e2e.command_desk import Desk, copy_of, set_up, trade
from tests.support.explaining import amounts, one

HOLD_LOCK = """
import sys
from pathlib import Path
from erpsync.runtime.lock import only_daemon
with only_daemon(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk at which a day's orders have come in, to be copied and never worked at."""
    return trade(set_up(tmp_path_factory.mktemp("traded")))


@pytest.fixture
def desk(traded: Desk, tmp_path: Path) -> Desk:
    return copy_of(traded, tmp_path / "config")


def number(desk: Desk, external_id: str) -> str:
    return str(desk.json("orders", "show", external_id)["number"])


def test_orders_are_listed_newest_first_with_their_status(desk: Desk) -> None:
    found = desk.json("orders", "list")

    assert [(order["external_id"], order["status"]) for order in found] == [
        ("1004", "held"),
        ("1003", "unpaid"),
        ("1002", "backordered"),
        ("1001", "allocated"),
    ]
    assert found[0]["hold_reason"] == "unmapped_sku"
    assert "events" not in found[0]


def test_the_table_of_orders_stays_aligned_beside_chinese_codes(desk: Desk) -> None:
    lines = desk.run("orders", "list").out.splitlines()

    assert " ".join(lines[0].split()) == "order channel channel's id status held for placed total items"
    assert [line.split()[-1] for line in lines[1:]] == ["新品-红×1", "A×1", "B×9", "A×2"]
    assert "2026-03-02 12:06:00" in lines[1]


def test_filters_and_pages_of_orders(desk: Desk) -> None:
    newest = desk.json("orders", "list", "--limit", "2")
    rest = desk.json("orders", "list", "--after", newest[-1]["number"], "--limit", "0")

    assert [order["external_id"] for order in newest + rest] == ["1004", "1003", "1002", "1001"]
    for words, ids in {
        ("--status", "backordered"): ["1002"],
        ("--sku", "A"): ["1003", "1001"],
        ("--hold-reason", "unmapped_sku"): ["1004"],
        ("--warehouse", "SH"): ["1002", "1001"],
        ("--since", "2026-03-02 12:05", "--until", "2026-03-02T12:06:00+08:00"): ["1003"],
    }.items():
        assert [order["external_id"] for order in desk.json("orders", "list", *words)] == ids


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (("--status", "lost"), 2, "--status must be one of"),
        (("--since", "soon"), 2, "--since must be a date or time"),
        (("--after", "S1"), 1, "no order S1 to go on after"),
        (("--warehouse", "nowhere"), 1, "no warehouse nowhere; there are GZ, SH"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(desk: Desk, words: tuple[str, ...], code: int, problem: str) -> None:
    ran = desk.run("orders", "list", *words)

    assert (ran.code, ran.out) == (code, "")
    assert problem in ran.err


def test_an_order_is_shown_for_people_and_for_programs(desk: Desk) -> None:
    shown = desk.json("orders", "show", "1002")
    text = desk.run("orders", "show", shown["number"]).out

    assert shown["lines"][0]["allocations"] == [{"warehouse": "SH", "sku": "B", "qty": 4}]
    assert shown["lines"][0]["backordered_qty"] == 5
    assert (shown["total_minor"], shown["currency"]) == (9000, "CNY")
    assert "SH 4×B" in text
    assert "90.00 CNY" in text
    assert "order.imported" in text


def test_personal_data_is_shown_only_when_asked_for_and_that_is_on_record(desk: Desk) -> None:
    plain = desk.run("orders", "show", "1001", "--json")
    asked = desk.json("orders", "show", "1001", "--recipient")

    for secret in ("王小明", "13800138000", "文一西路"):
        assert secret not in plain.out
    assert asked["recipient"]["name"] == "王小明"
    assert asked["recipient"]["phone"] == "13800138000"
    assert "文一西路969号" in asked["recipient"]["address"]
    [audit] = [each for each in asked["events"] if each["kind"] == "order.recipient_shown"]
    assert audit["actor"]
    assert "王小明" in desk.run("orders", "show", "1001", "--recipient").out


NOTED = """
external_id,status,placed_at,paid_at,channel_sku,qty,price,recipient,phone,address,buyer,seller_note,seller_flag,properties
2001,paid,2026-03-02 12:11,2026-03-02 12:12,A,1,9.00,王小明,13800138000,文一西路969号,u-77,老客户发顺丰,红旗,刻字:小明
2002,paid,2026-03-02 12:13,2026-03-02 12:14,A,1,9.00,王小明,13800138000,文一西路969号,u-77,,,
"""


@pytest.mark.concurrent("processes")
def test_what_people_wrote_is_shown_with_the_recipient_and_stands_nowhere_else(desk: Desk) -> None:
    desk.write("shop/in/noted.csv", NOTED.strip() + "\n")
    ran = desk.apart("run", "--once")
    asked = desk.json("orders", "show", "2001", "--recipient")
    text = desk.run("orders", "show", "2001", "--recipient").out

    assert (asked["notes"], asked["seller_flag"]) == ({"buyer": "u-77", "seller_note": "老客户发顺丰"}, 1)
    assert asked["lines"][0]["properties"] == [{"name": "刻字", "value": "小明"}]
    assert asked["same_buyer"] == [number(desk, "2002")]
    assert "seller_note: 老客户发顺丰" in text
    assert "刻字: 小明" in text
    plain = [
        desk.run("orders", *words).out for words in (("show", "2001"), ("show", "2001", "--json"), ("list", "--json"))
    ]
    for secret in ("u-77", "发顺丰", "刻字"):
        assert secret not in "".join([ran.out, ran.err, *plain])


def test_hold_release_and_cancel_tell_what_the_order_is_then(desk: Desk) -> None:
    mine = number(desk, "1001")

    assert desk.run("orders", "hold", "1001", "--reason", "客户改地址").out == f"{mine} is held (operator)\n"
    assert desk.run("orders", "release", mine).out == f"{mine} is allocated\n"
    assert desk.json("orders", "cancel", mine, "--reason", "测试")["status"] == "cancelled"
    [actor] = {event["actor"] for event in desk.json("orders", "show", mine)["events"]} - {""}
    assert actor
    again = desk.run("orders", "cancel", mine, "--reason", "again")
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith("erpsync: ")


@pytest.mark.concurrent("processes")
def test_units_of_a_cancelled_order_go_to_those_who_wait(desk: Desk) -> None:
    desk.drop("1006,a,paid,2026-03-02 13:00,2026-03-02 13:01,A,x,4,1.00,n,1,a", name="later.csv")
    assert desk.apart("run", "--once").code == 0
    assert desk.json("orders", "show", "1006")["status"] == "backordered"

    desk.run("orders", "cancel", "1001", "--reason", "buyer changed his mind")

    assert desk.json("orders", "show", "1006")["status"] == "allocated"


def test_a_parcel_is_recorded_once_and_listed(desk: Desk) -> None:
    first = desk.json("ship", "1001", "--carrier", "SF", "--tracking", "SF100", "--line", "a:1")
    again = desk.json("ship", "1001", "--carrier", "SF", "--tracking", "SF100", "--line", "a:1")

    assert (first["number"], first["repeated"], again["repeated"]) == (again["number"], False, True)
    assert desk.json("orders", "show", "1001")["status"] == "partially_shipped"
    [parcel] = desk.json("shipments", "list", "--order", "1001")
    assert (parcel["carrier"], parcel["tracking"]) == ("SF", "SF100")
    assert parcel["lines"] == [{"external_id": "a", "qty": 1}]
    assert desk.json("shipments", "list", "--state", "dropped") == []
    assert first["number"] in desk.run("shipments", "list").out


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (("1001", "--carrier", "SFF", "--tracking", "1"), 1, "SF"),
        (("1003", "--carrier", "SF", "--tracking", "1"), 1, "not ready"),
        (("1001", "--carrier", "SF", "--tracking", "1", "--line", "zz"), 1, "no line zz"),
        (("1001", "--carrier", "SF", "--tracking", "1", "--line", "a:0"), 2, "--line must have 1 unit or more"),
        (("1003", "--carrier", "SF", "--tracking", "1", "--force"), 2, "--force needs --reason"),
        (("none", "--carrier", "SF", "--tracking", "1"), 1, "none"),
    ],
)
def test_a_parcel_that_cannot_be_is_refused_in_one_line(
    desk: Desk, words: tuple[str, ...], code: int, problem: str
) -> None:
    ran = desk.run("ship", *words)

    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert problem in ran.err


def test_a_forced_parcel_keeps_who_and_why(desk: Desk) -> None:
    desk.run("ship", "1003", "--carrier", "SF", "--tracking", "SF7", "--force", "--reason", "货到付款")

    [parcel] = desk.json("shipments", "list", "--order", "1003")
    assert (parcel["forced"], parcel["forced_reason"]) == (True, "货到付款")
    assert parcel["actor"]


def test_a_wrong_tracking_number_is_corrected_and_a_wrong_one_of_ours_refused(desk: Desk) -> None:
    number = desk.json("ship", "1001", "--carrier", "SF", "--tracking", "SF100")["number"]

    said = desk.run("shipments", "correct", number, "--tracking", "YT2", "--carrier", "YTO")
    again = desk.json("shipments", "correct", number, "--tracking", "YT2")
    refused = desk.run("shipments", "correct", "S1-9", "--tracking", "YT3")

    assert "travels as YTO YT2; the channel was not told yet and hears the right one" in said.out
    assert (again["follows"], again["carrier"]) == ("nothing", "YTO")
    assert [each["tracking"] for each in desk.json("shipments", "list", "--order", "1001")] == ["YT2"]
    assert refused.code == 1
    assert refused.err.strip().endswith("shipment S1-9 is not known; `erpsync shipments list` shows those that are")
    assert "shipment.corrected" in desk.run("trail", "list", "--order", "1001").out


def test_a_mapping_frees_the_orders_that_were_held_for_it(desk: Desk) -> None:
    desk.run("stock", "add", "--warehouse", "GZ", "--sku", "RED", "--qty", "+3", "--reason", "goods in")
    mapping = desk.write("listings.csv", "channel,channel_sku,sku,factor\nshop,新品-红,RED,2\nshop,x,A,0\nnope,x,A,1\n")

    ran = desk.run("listings", "import", mapping, "--json")

    assert (ran.code, ran.json["taken"]) == (1, 1)
    assert [each["source"].rpartition(":")[2] for each in ran.json["refused"]] == ["3", "4"]
    assert f"{mapping}:3: factor must be a whole number from 1, is 0" in ran.err
    assert desk.json("orders", "show", "1004")["lines"][0]["allocations"] == [
        {"warehouse": "GZ", "sku": "RED", "qty": 2}
    ]
    assert [row["factor"] for row in desk.json("listings", "list", "--sku", "RED")] == [2]
    assert desk.json("listings", "list", "--unmapped") == []


def test_an_unreadable_order_is_a_dead_letter_with_file_and_line(desk: Desk) -> None:
    [letter] = desk.json("dead", "list")

    assert list(letter) == ["id", "channel", "kind", "key", "at", "attempts", "error", "source", "remedy", "next"]
    assert f"`erpsync dead replay {letter['id']}`" in letter["next"]
    assert (letter["kind"], letter["key"], letter["source"]) == ("order", "1005", "orders.csv:6")
    replayed = desk.run("dead", "replay", str(letter["id"]), "--json")
    assert (replayed.code, replayed.json["replayed"]) == (1, [])
    assert desk.json("dead", "drop", str(letter["id"])) == {"dropped": [letter["id"]], "refused": []}
    assert desk.json("dead", "list") == []


def test_why_a_dead_letter_was_dropped_stays_on_record(desk: Desk) -> None:
    [letter] = desk.json("dead", "list")
    desk.json("dead", "drop", str(letter["id"]), "--reason", "测试订单")

    [dropped] = [event for event in desk.json("trail", "list") if event["kind"] == "letter.dropped"]
    assert dropped["detail"]["reason"] == "测试订单"


def test_the_story_of_an_order_and_of_a_sku(desk: Desk) -> None:
    order = desk.run("explain", "1002").out
    held = desk.run("explain", "1004").out
    sku = desk.run("explain", "B").out

    assert f"{number(desk, '1002')} waits for 5 units of B and is served first" in order
    assert "  5  of B missing for line a\n     0  no order comes before it: it is served first" in order
    assert number(desk, "1002") in sku
    assert "(shop 1004, held: unmapped_sku)" in held
    assert re.search(r"to a SKU: 新品-红  \(since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\)", held)
    assert not re.search(r"\d{4}-\d\d-\d\dT", held + order + sku)
    assert desk.json("explain", "B")["stock"] == [
        {"warehouse": "SH", "sku": "B", "on_hand": 5, "reserved": 4, "available": 0}
    ]
    assert desk.run("explain", "nothing").code == 1


def test_explain_names_file_and_line_of_what_makes_a_number(desk: Desk) -> None:
    (level,) = desk.json("explain", "A")["levels"]
    place = {"file": str(desk.folder / "erpsync.yaml"), "line": 6}

    assert amounts(level["steps"], "on_hand", "held", "safety", "level") == {
        "on_hand": 6,
        "held": -2,
        "safety": -1,
        "level": 3,
    }
    assert one(level["steps"], "safety")["setting"] == place
    said = f"-1  safety stock that SH never promises of any SKU  [{place['file']}:{place['line']}]"
    assert said in desk.run("explain", "A").out


def test_explain_says_when_the_files_are_not_what_the_daemon_goes_by(desk: Desk) -> None:
    config = load(desk.folder, registry=installed(), environ={}, secrets=False).require()
    with closing(Store.open(config.database)) as store:
        take_configuration(store, config.kept)
    assert "say otherwise" not in desk.run("explain", "A").err

    text = (desk.folder / "erpsync.yaml").read_text()
    desk.write("erpsync.yaml", text.replace("safety_stock: 1", "safety_stock: 2"))
    ran = desk.run("explain", "A")

    assert re.match(r"the files on disk say otherwise than the configuration in force since 20\d\d-", ran.err)
    assert "-2  safety stock that SH never promises" in ran.out


def test_status_tells_of_the_dead_letter_and_fails(desk: Desk) -> None:
    ran = desk.run("status", "--json")

    assert ran.code == 1
    assert ran.json["ok"] is False
    assert "dead_letters" in [problem["check"] for problem in ran.json["problems"]]
    assert desk.run("status").out.splitlines()[0].startswith("channel")


def test_channels_are_paused_and_resumed_and_asked_for_passes(desk: Desk) -> None:
    assert [channel["id"] for channel in desk.json("channels", "list")] == ["shop"]
    assert desk.json("channels", "pause", "shop", "--reason", "盘点")["paused_reason"] == "盘点"
    assert desk.json("channels", "resume", "shop")["paused"] is False
    streams = desk.json("channels", "poll", "shop", "--stream", "orders")["streams"]
    assert next(row for row in streams if row["stream"] == "orders")["wanted_at"]
    assert desk.run("channels", "backfill", "shop", "--days", "3").code == 0
    assert desk.run("channels", "poll", "shop", "--stream", "nope").code == 2
    assert desk.run("channels", "pause", "nobody").code == 1
    assert "Streams" in desk.run("channels", "show", "shop").out


def test_a_task_that_is_not_there_cannot_be_done(desk: Desk) -> None:
    assert desk.json("tasks", "list") == []
    ran = desk.run("tasks", "done", "99", "--json")
    assert (ran.code, ran.json["done"]) == (1, [])
    assert desk.run("tasks", "done", "99", "--arrived").code == 1


def test_rotation_seals_everything_with_a_fresh_key_and_copies_stay_readable(desk: Desk) -> None:
    path = desk.folder / "var" / "erpsync.db.keys"
    old = json.loads(path.read_text())

    assert desk.json("keys", "rotate")["encrypted"] > 0

    kept = json.loads(path.read_text())
    assert kept["keys"][1:] == old["keys"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text(json.dumps(kept | {"keys": kept["keys"][:1]}))
    assert desk.json("orders", "show", "1001", "--recipient")["recipient"]["name"] == "王小明"


def test_a_rotation_that_was_stopped_goes_on_with_the_key_it_began_with(desk: Desk) -> None:
    path = desk.folder / "var" / "erpsync.db.keys"
    begin_rotation(path)
    begun = json.loads(path.read_text())["keys"]

    assert desk.json("keys", "rotate")["encrypted"] > 0

    assert json.loads(path.read_text())["keys"] == begun


@pytest.mark.concurrent("processes")
def test_keys_in_a_file_are_not_rotated_under_a_running_daemon(desk: Desk) -> None:
    keys = (desk.folder / "var" / "erpsync.db.keys").read_text()
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(desk.folder / "var" / "erpsync.db")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()

    ran = desk.run("keys", "rotate")
    holder.communicate()

    assert (ran.code, ran.out) == (1, "")
    assert "another daemon" in ran.err
    assert (desk.folder / "var" / "erpsync.db.keys").read_text() == keys
