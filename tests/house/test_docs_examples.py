"""Every code block of the documentation is run, or at least read by what it is meant for."""

import configparser
import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.webhook_json.mapping.records import order_of, refund_of
from erpsync.cli.main import build_parser
from erpsync.flows.own_orders.form import OwnOrder
from tests.support.pages import pages
from tests.support.reference import options
from tests.support.sources import ROOT

FENCE = re.compile(r"^```(\w*) *([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SYSTEM = {"install", "journalctl", "openssl", "python3", "systemctl", "useradd"}
BIN = Path(sys.executable).parent
ERPSYNC = ".venv/bin/erpsync --config shop"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, what stands behind it, and where it is."""

    file: str
    kind: str
    name: str
    text: str


def blocks(*kinds: str) -> list[Block]:
    """Return the code blocks of all pages in one of these languages, or in any."""
    found = [
        Block(page.name, match[1], match[2].strip(), match[3])
        for page in pages()
        for match in FENCE.finditer(page.read_text(encoding="utf-8"))
    ]
    return [block for block in found if not kinds or block.kind in kinds]


def test_every_block_has_a_language_that_is_tested_here() -> None:
    """YAML is checked in test_docs.py, a template in test_documents_page.py; text is a drawing."""
    assert {block.kind for block in blocks()} <= {
        "sh",
        "yaml",
        "csv",
        "json",
        "python",
        "ini",
        "toml",
        "nginx",
        "typst",
        "text",
    }


def commands() -> Iterator[list[str]]:
    """Yield every command line of the shell blocks as words."""
    for block in blocks("sh"):
        for text in block.text.replace("\\\n", " ").splitlines():
            if words := shlex.split(text, comments=True):
                yield words


def test_every_command_of_the_shell_blocks_is_one_that_erpsync_takes() -> None:
    parser, refused = build_parser(), []
    for line in commands():
        words = line[: line.index(">")] if ">" in line else line
        places = [index for index, word in enumerate(words) if Path(word).name == "erpsync" and word != "/etc/erpsync"]
        if not places or words[0] in SYSTEM:
            continue
        try:
            parser.parse_args(words[places[-1] + 1 :])
        except SystemExit:
            refused.append(words)

    assert refused == []


def test_every_target_of_make_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    wanted = {words[1] for words in commands() if words[0] == "make"}

    assert wanted >= {"demo", "test"}
    assert [name for name in sorted(wanted) if f"\n{name}: " not in makefile] == []


def test_every_file_that_the_installation_copies_is_there() -> None:
    copied = [words[-2] for words in commands() if words[0] == "install" and "-d" not in words]

    assert [name for name in copied if not name.startswith("/dev/") and not (ROOT / name).exists()] == []


@pytest.mark.concurrent("processes")
@pytest.mark.timeout(900)
def test_the_walk_in_the_readme_can_be_walked(tmp_path: Path) -> None:
    lay_out(tmp_path)
    walk = "\n".join(block.text for block in blocks("sh") if block.name == "walk")

    done = sh(tmp_path, walk.replace("make setup\n", ""))  # it is set up, or nothing would be tested here

    assert done.returncode == 0, done.stderr
    assert "unmapped_sku" in done.stdout
    order = json.loads(sh(tmp_path, f"{ERPSYNC} orders show 2026112200002 --json").stdout)
    assert (order["status"], order["total_minor"], order["shipments"][0]["state"]) == ("shipped", 26800, "sent")
    assert [order["status"] for order in orders(tmp_path)] == ["unpaid", "shipped", "allocated"]
    assert told(tmp_path) == {"CUP-RED": "9", "茶-500克": "2"}  # 12, less 2 sold, less 1 ordered and not paid
    assert sh(tmp_path, f"{ERPSYNC} bundles import bundles.csv").returncode == 0
    assert sh(tmp_path, f"{ERPSYNC} goods import goods.csv").returncode == 0
    heavy = json.loads(sh(tmp_path, f"{ERPSYNC} goods list --lacks weight_g --json").stdout)
    assert {"CUP-RED", "TEA-500"}.isdisjoint(goods["sku"] for goods in heavy)


def lay_out(folder: Path) -> None:
    """Make a checkout that is set up, and write the tables of the other pages into it."""
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(BIN)
    for block in blocks("csv"):
        (folder / block.name).write_text(block.text, encoding="utf-8")


def sh(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run lines of shell in a folder, ending at the first that fails."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ERPSYNC")}
    return subprocess.run(
        ["sh", "-eu", "-c", script], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def orders(folder: Path) -> list[dict[str, str]]:
    """Return all orders, newest first."""
    found: list[dict[str, str]] = json.loads(sh(folder, f"{ERPSYNC} orders list --json").stdout)
    return found


def told(folder: Path) -> dict[str, str]:
    """Return the numbers of the stock files, the newest of each."""
    found: dict[str, str] = {}
    for path in sorted((folder / "shop" / "out").glob("stock-*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found |= {row["channel_sku"]: row["qty"] for row in csv.DictReader(file)}
    return found


def test_the_messages_of_an_own_shop_are_read() -> None:
    read = {block.name: json.loads(block.text) for block in blocks("json")}

    assert order_of(read["order"]).total_minor == 5160
    assert refund_of(read["refund"]).lines[0].qty == 1
    assert OwnOrder.read(read["own order"]).to_pay_minor == 27000


def test_the_drop_in_holds_directives_of_the_unit() -> None:
    unit = (ROOT / "erpsync.service").read_text(encoding="utf-8")
    for block in blocks("ini"):
        parser = configparser.ConfigParser(strict=False)
        parser.optionxform = str  # type: ignore[assignment, method-assign]
        parser.read_string(block.text)
        assert [key for key in parser["Service"] if f"{key}=" not in unit] == []


def test_the_distribution_of_an_outsider_names_our_entry_point_group() -> None:
    (block,) = blocks("toml")

    assert "erpsync.connectors" in tomllib.loads(block.text)["project"]["entry-points"]


def test_the_proxy_keeps_figures_to_itself_and_says_that_a_caller_came_by_tls() -> None:
    (block,) = blocks("nginx")
    listened = next(option.default for option in options()["erpsync.yaml"] if option.path == "web.listen")

    assert f"http://{listened.strip('`')};" in block.text
    passed = dict(re.findall(r"location (\S+) +\{ (\w+)", block.text))
    assert passed.pop("/hooks/") == passed.pop("/") == "proxy_pass"
    assert passed == dict.fromkeys(("/livez", "/readyz", "/metrics", "/status.json"), "return")
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in block.text


def test_every_csv_example_is_a_table() -> None:
    for block in blocks("csv"):
        rows = list(csv.reader(io.StringIO(block.text)))
        assert {len(row) for row in rows} == {len(rows[0])}, block.name
