"""A configuration as people are shown it: what is written where, what counts by default, where secrets come from."""

from pathlib import Path

import pytest

from erpsync.settings import Config, installed, load
from erpsync.settings.shown import Change, Setting, changes, shown

MAIN = """database: sqlite:///var/shop.db
warehouses:
  - {id: SH, safety_stock: 2}
defaults:
  poll: {orders_s: 45}
  stock: {ratio: 0.5}
"""
JD = """id: jd-main
connector: jd
stock: {ratio: 0.8}
settings:
  app_key: ABC
  app_secret: !file secret.txt
  access_token: ${JD_TOKEN}
"""


def read(folder: Path, *, main: str = MAIN, jd: str = JD, token: str = "T-7") -> Config:
    (folder / "channels").mkdir(exist_ok=True)
    (folder / "erpsync.yaml").write_text(main, encoding="utf-8")
    (folder / "channels" / "jd.yaml").write_text(jd, encoding="utf-8")
    (folder / "secret.txt").write_text("S-42\n", encoding="utf-8")
    loaded = load(folder, registry=installed(), environ={"JD_TOKEN": token})
    return loaded.require()


def setting(config: Config, channel: str, path: str) -> Setting:
    [file] = [file for file in shown(config) if file.channel == channel]
    return next(it for it in file.settings if it.path == path)


def test_a_setting_is_told_with_file_and_line(tmp_path: Path) -> None:
    config = read(tmp_path)

    assert setting(config, "", "warehouses.0.safety_stock").written == (str(tmp_path / "erpsync.yaml"), 3)
    ratio = setting(config, "jd-main", "stock.ratio")
    assert (ratio.value, ratio.written) == ("0.8", (str(tmp_path / "channels" / "jd.yaml"), 3))


def test_what_counts_for_all_shops_is_told_with_where_it_is_written(tmp_path: Path) -> None:
    every = setting(read(tmp_path), "jd-main", "poll.orders_s")

    assert (every.value, every.written) == ("45", (str(tmp_path / "erpsync.yaml"), 5))


def test_what_nobody_wrote_is_a_default(tmp_path: Path) -> None:
    default = setting(read(tmp_path), "jd-main", "poll.refunds_s")

    assert (default.value, default.is_default) == ("60", True)


@pytest.mark.parametrize(
    ("path", "value", "source"),
    [
        ("settings.app_secret", "!file secret.txt", "file"),
        ("settings.access_token", "${JD_TOKEN}", "environment"),
        ("settings.app_key", "ABC", ""),
    ],
)
def test_of_a_secret_only_where_it_comes_from_is_told(tmp_path: Path, path: str, value: str, source: str) -> None:
    told = setting(read(tmp_path), "jd-main", path)

    assert (told.value, told.source) == (value, source)


def test_a_secret_in_the_file_itself_is_not_shown(tmp_path: Path) -> None:
    config = read(tmp_path, jd=JD.replace("!file secret.txt", "S-42"))

    assert setting(config, "jd-main", "settings.app_secret").source == "here"
    assert "S-42" not in repr(shown(config))


def test_no_value_of_a_secret_is_anywhere_in_it(tmp_path: Path) -> None:
    told = repr(shown(read(tmp_path)))

    assert "S-42" not in told
    assert "T-7" not in told


def test_what_is_written_otherwise_is_told_setting_by_setting(tmp_path: Path) -> None:
    before = read(tmp_path)
    after = read(tmp_path, main=MAIN.replace("45", "60"), jd=JD.replace("stock: {ratio: 0.8}\n", "enabled: false\n"))

    assert changes(before.kept, after.kept) == [
        Change(channel="", path="defaults.poll.orders_s", before="45", after="60"),
        Change(channel="jd-main", path="stock.ratio", before="0.8", after=None),
        Change(channel="jd-main", path="enabled", before=None, after="false"),
    ]


def test_files_that_say_the_same_have_no_change(tmp_path: Path) -> None:
    assert changes(read(tmp_path).kept, read(tmp_path, token="another").kept) == []
