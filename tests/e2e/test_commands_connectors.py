"""`connectors new`: what it writes, what it refuses, and that what it writes is as clean as our own code."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from erpsync.cli.connectors import starter
from erpsync.cli.main import main
from tests.e2e.command_desk import Ran, files_in

LONG = "corner_shop_of_the_third_street"[:30]


def new(capsys: pytest.CaptureFixture[str], *words: str) -> Ran:
    code = main(["connectors", "new", *words])
    said = capsys.readouterr()
    return Ran(code, said.out, said.err)


def test_everything_is_written_under_its_name_and_what_to_do_next_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = new(capsys, "corner_shop", "--in", str(tmp_path / "code"))
    folder = tmp_path / "code" / "erpsync_corner_shop"

    assert ran.code == 0
    assert files_in(folder) == set(starter("corner_shop"))
    assert ran.out.splitlines() == [str(folder / name) for name in sorted(starter("corner_shop"))]
    assert f"pip install --no-build-isolation -e {folder}" in ran.err
    assert os.listdir(tmp_path / "code") == ["erpsync_corner_shop"]  # noqa: PTH208 - hidden leftovers, too
    usual = tmp_path / "usual"
    usual.mkdir()
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)


def test_no_word_of_the_example_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = new(capsys, "booth", "--in", str(tmp_path), "--json")
    texts = starter("booth")

    assert found.code == 0
    assert not any("myshop" in f"{name}{text}".lower() for name, text in texts.items())
    assert "class BoothConnector(" in texts["erpsync_booth/connector.py"]
    assert "class CornerShopConnector(" in starter("corner_shop")["erpsync_corner_shop/connector.py"]


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("Kiosk", 2, "NAME must be small letters, digits and single _ between them, 30 characters at most, is Kiosk"),
        ("9lives", 2, "NAME must be small letters"),
        ("a__b", 2, "NAME must be small letters"),
        ("../evil", 2, "NAME must be small letters"),
        ("x" * 31, 2, "30 characters at most"),
        ("class", 2, "NAME must not be a word of Python, is class"),
        ("match", 2, "NAME must not be a word of Python, is match"),
        ("taobao", 1, "there is a connector taobao already; choose another name"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: int, said: str
) -> None:
    ran = new(capsys, name, "--in", str(tmp_path / "code"))

    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert said in ran.err
    assert not (tmp_path / "code").exists()


def test_a_package_that_can_be_imported_already_is_not_written_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "erpsync_lane").mkdir()
    (tmp_path / "erpsync_lane" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    ran = new(capsys, "lane", "--in", str(tmp_path / "code"))

    assert (ran.code, ran.err) == (1, "erpsync: there is a package erpsync_lane already; choose another name\n")


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_is_there_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    place = tmp_path / "erpsync_booth"
    {"folder": place.mkdir, "file": place.touch, "link": lambda: place.symlink_to(tmp_path / "gone")}[kind]()
    ran = new(capsys, "booth", "--in", str(tmp_path))

    assert (ran.code, ran.out) == (1, "")
    assert f"{place} is there already; nothing was written" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["erpsync_booth"]


def test_nothing_is_written_into_erpsync_itself(capsys: pytest.CaptureFixture[str]) -> None:
    inside = Path(sys.modules["erpsync"].__file__ or "").parent / "cli"
    ran = new(capsys, "booth", "--in", str(inside))

    assert ran.code == 1
    assert "lies inside erpsync itself, which an update replaces" in ran.err
    assert not (inside / "erpsync_booth").exists()


def test_a_place_where_nothing_can_be_written_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    ran = new(capsys, "booth", "--in", str(tmp_path / "file"))

    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert str(tmp_path / "file") in ran.err


@pytest.mark.concurrent("processes")
@pytest.mark.parametrize("name", ["ox", LONG])
def test_what_is_written_is_clean_by_its_own_rules(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert new(capsys, name, "--in", str(tmp_path)).code == 0
    folder = tmp_path / f"erpsync_{name}"
    for words in (
        ["ruff", "check", "--no-cache", "."],
        ["ruff", "format", "--no-cache", "--check", "."],
        ["mypy", f"--cache-dir={tmp_path / 'cache'}", f"erpsync_{name}", "tests"],
    ):
        done = subprocess.run([sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (words, done.stdout + done.stderr)
