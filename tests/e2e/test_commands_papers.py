"""`papers` at the command line: a PDF in a file of one's own, what is on record, and what is refused before that."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from erpsync.store.db.store import Store
from erpsync.store.tables import release
from tests.e2e.command_desk import ORDERS, Desk, set_up
from tests.support.papers import FONT, bare, texts

pytestmark = pytest.mark.concurrent("processes")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk in SH to which order 1001 is released."""
    desk = set_up(tmp_path_factory.mktemp("papers"))
    main = Path(desk.folder / "erpsync.yaml")
    text = main.read_text(encoding="utf-8").replace("safety_stock: 1}", "safety_stock: 1, desk: true}")
    main.write_text(f"{text}documents: {{font: {FONT}}}\n", encoding="utf-8")
    assert desk.run("migrate").code == 0
    counts = desk.write("counts.csv", "warehouse,sku,on_hand\nSH,A,6\n")
    assert desk.run("stock", "import", counts).code == 0
    desk.drop(ORDERS)
    ran = desk.apart("run", "--once")
    assert ran.code == 0, ran.err
    return desk


@pytest.fixture
def number(shop: Desk) -> Iterator[str]:
    store = Store.open(f"sqlite:///{shop.folder / 'var' / 'erpsync.db'}")
    with store.read() as connection:
        yield connection.execute(release.select()).one().number
    store.close()


def test_a_slip_goes_into_a_file_that_only_who_prints_may_read(shop: Desk, number: str, tmp_path: Path) -> None:
    file = tmp_path / "slip.pdf"

    ran = shop.run("papers", "slip", number, "--out", str(file), "--json")

    assert (ran.code, ran.err) == (0, "")
    assert ran.json == {
        "file": str(file),
        "paper": "slip",
        "number": number,
        "printed": [{"number": number, "copy": 1}],
        "left_out": [],
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    [page] = texts(file.read_bytes())
    for said in (number, "1001", "亚麻短袖衬衫", "王**", "138****8000"):
        assert bare(said) in page
    assert "13800138000" not in page

    again = shop.run("papers", "slip", number, "--out", str(tmp_path / "2.pdf"))
    assert (again.code, (tmp_path / "2.pdf").exists()) == (1, False)
    assert "was printed before; say that a copy is wanted" in again.err
    assert shop.run("papers", "slip", number, "--out", str(file), "--copy").code == 1  # the file is there: no copy yet
    assert shop.run("papers", "slip", number, "--copy", "--force", "--out", str(file)).code == 0
    assert bare("补打 2") in texts(file.read_bytes())[0]
    trail = shop.json("trail", "list", "--order", "1001")
    assert [row["detail"]["copy"] for row in trail if row["kind"] == "release.printed"] == [2, 1]


def test_a_pdf_is_nothing_for_a_terminal_and_json_needs_a_file(shop: Desk, number: str) -> None:
    said = shop.run("papers", "pack", number)
    json_said = shop.run("papers", "pack", number, "--json")

    assert (said.code, json_said.code) == (2, 2)
    assert said.err == "erpsync: a PDF is nothing for a terminal: name a file with --out FILE\n"
    assert json_said.err == "erpsync: --json is about a file: it needs --out FILE\n"


def test_a_number_that_nobody_knows_and_a_label_without_a_waybill_are_refused(
    shop: Desk, number: str, tmp_path: Path
) -> None:
    out = str(tmp_path / "label.pdf")

    unknown = shop.run("papers", "label", "R1", "--out", out)
    early = shop.run("papers", "label", number, "--out", out)

    assert unknown.err == "erpsync: there is no release and no wave R1\n"
    assert early.err == f"erpsync: release {number} has no waybill number yet\n"
    assert not Path(out).exists()
    assert json.loads(shop.run("tasks", "list", "--json").out) == []


def test_the_papers_of_a_wave_go_into_a_folder_and_its_goods_into_nobodys_hands_twice(
    shop: Desk, number: str, tmp_path: Path
) -> None:
    wave = shop.json("waves", "make", number)["wave"]

    ran = shop.run("waves", "print", wave, "--out", str(tmp_path), "--copy", "--json")

    assert (ran.code, ran.err) == (0, "")
    assert ran.json == {
        "wave": wave,
        "files": [str(tmp_path / f"{wave}-{paper}.pdf") for paper in ("pick", "slip")],
        "left_out": [],
    }
    assert [stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()] == [0o600, 0o600]
    assert "is there already" in shop.run("waves", "print", wave, "--out", str(tmp_path), "--copy").err
    assert shop.json("waves", "show", wave)["state"] == "printed"
