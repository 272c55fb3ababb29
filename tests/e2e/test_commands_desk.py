"""The shipping desk at the command line: what is to be packed, in which waves, and what must not leave."""

from pathlib import Path

import pytest

from tests.e2e.command_desk import Desk, copy_of, set_up, trade


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk in SH at which the day's orders have come in, 1001 ready; to be copied and never worked at."""
    desk = set_up(tmp_path_factory.mktemp("traded"))
    settings = desk.folder / "erpsync.yaml"
    text = settings.read_text(encoding="utf-8").replace("{id: SH,", "{id: SH, desk: true,")
    settings.write_text(text, encoding="utf-8")
    return trade(desk)


@pytest.fixture
def desk(traded: Desk, tmp_path: Path) -> Desk:
    return copy_of(traded, tmp_path / "config")


def test_what_is_ready_is_picked_in_a_wave_and_may_be_dropped_again(desk: Desk) -> None:
    [release] = desk.json("releases", "list", "--unpicked", "--warehouse", "SH")
    made = desk.json("waves", "make")
    [member] = desk.json("waves", "show", made["wave"])["members"]

    assert (release["state"], release["lines"][0]["sku"], release["lines"][0]["qty"]) == ("told", "A", 2)
    assert (member["number"], member["wave"], member["slot"]) == (release["number"], made["wave"], 1)
    assert desk.run("waves", "make", "--most", "5").out == "no release waits for a wave\n"
    assert [each["number"] for each in desk.json("waves", "list", "--state", "open")] == [made["wave"]]
    assert "is not printed; drop it instead" in desk.run("waves", "done", made["wave"]).err
    assert desk.run("waves", "drop", made["wave"]).out == f"wave {made['wave']} is dropped\n"
    assert desk.json("releases", "list", "--unpicked") != []


def test_a_release_is_shown_with_its_goods_and_stopped(desk: Desk) -> None:
    [number] = [each["number"] for each in desk.json("releases", "list", "--state", "told")]
    shown = desk.run("releases", "show", number).out
    stopped = desk.run("releases", "stop", number, "--reason", "the glass is broken")

    assert number in shown
    assert "2 × A" in shown
    assert (stopped.code, stopped.out) == (0, f"release {number} is stopped\n")
    assert desk.json("orders", "show", "1001")["hold_reason"] == "warehouse_refused"
    assert (desk.json("releases", "list", "--stops"), desk.run("releases", "stop", number).code) == ([], 1)


def test_releases_are_made_without_waiting_for_the_daemon(desk: Desk) -> None:
    counts = desk.write("more.csv", "warehouse,sku,on_hand\nSH,A,6\nSH,B,15\n")
    assert desk.run("stock", "import", counts).code == 0

    assert desk.run("releases", "make").out == "1 release is made\n"
    assert desk.json("releases", "make") == {"made": 0, "stays": []}
    assert len(desk.json("releases", "list")) == 2


def test_what_stays_when_releases_are_made_is_said_with_the_reason_and_the_first_orders(desk: Desk) -> None:
    channel = desk.folder / "channels" / "shop.yaml"
    channel.write_text(channel.read_text() + "orders: {parcel: {max_units: 1}}\n")
    number = desk.json("orders", "show", "1002")["number"]
    assert desk.run("orders", "seal", number, "--split").code == 0
    counts = desk.write("more.csv", "warehouse,sku,on_hand\nSH,A,60\nSH,B,15\n")
    assert desk.run("stock", "import", counts).code == 0

    said = desk.run("releases", "make").out.splitlines()

    assert said[-1].split()[0] == "1"
    assert "it may not be split, and SH could send it in" in said[-1]
    assert said[-1].endswith(number)


def test_an_order_at_the_desk_is_shipped_by_hand_as_ever(desk: Desk) -> None:
    assert desk.run("ship", "1001", "--carrier", "SF", "--tracking", "SF1400022331").code == 0
    assert desk.json("orders", "show", "1001")["status"] == "shipped"
    assert desk.run("releases", "make").code == 0
    assert [each["state"] for each in desk.json("releases", "list")] == ["shipped"]


def test_a_warehouse_that_is_none_is_refused_with_what_was_meant(desk: Desk) -> None:
    assert "no warehouse SHH; did you mean 'SH'?" in desk.run("releases", "list", "--warehouse", "SHH").err
    assert "warehouse GZ has no desk; there is one in SH" in desk.run("waves", "make", "--warehouse", "GZ").err
    assert desk.run("releases", "show", "R1").code == 1
