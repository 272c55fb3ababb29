"""Where a setting is written: file and line of the key that counts."""

from pathlib import Path

from erpsync.settings import Config
from erpsync.settings.rescue import restore
from tests.unit.settings.builders import loaded, registry, write

MAIN = """\
warehouses:
  - {id: SH}
  - id: GZ
    safety_stock: 3
defaults:
  stock:
    buffer: 2
    ratio: 0.5
"""
CHANNEL = """\
id: shop
connector: market
stock:
  ratio: 0.8
settings: {app_key: k, app_secret: !file secret}
"""


def config(folder: Path) -> Config:
    return loaded(write(folder, MAIN, shop=CHANNEL)).require()


def test_a_channel_s_own_setting_counts_before_the_default_of_all(tmp_path: Path) -> None:
    written = config(tmp_path).written

    assert written.of_channel("shop", "stock.ratio") == (str(tmp_path / "channels" / "shop.yaml"), 4)
    assert written.of_channel("shop", "stock.buffer") == (str(tmp_path / "erpsync.yaml"), 7)
    assert written.of_channel("shop", "connector") == (str(tmp_path / "channels" / "shop.yaml"), 2)


def test_what_nobody_has_written_stands_nowhere(tmp_path: Path) -> None:
    written = config(tmp_path).written

    assert written.of_channel("shop", "stock.cap") is None
    assert written.of_channel("other", "stock.cap") is None
    assert written.of_warehouse("SH", "safety_stock") is None
    assert written.of_warehouse("XX") is None


def test_a_setting_of_a_warehouse_is_found_by_its_id(tmp_path: Path) -> None:
    assert config(tmp_path).written.of_warehouse("GZ", "safety_stock") == (str(tmp_path / "erpsync.yaml"), 4)


def test_a_configuration_that_is_remembered_knows_its_files_and_no_lines(tmp_path: Path) -> None:
    kept = config(tmp_path).kept
    again = restore(kept, database="sqlite:////elsewhere.db", registry=registry(), environ={}).require()

    assert again.written.of_channel("shop", "stock.ratio") == (str(tmp_path / "channels" / "shop.yaml"), None)


def test_where_it_is_written_is_no_difference_between_configurations(tmp_path: Path) -> None:
    before = config(tmp_path)
    after = loaded(write(tmp_path, "# a remark\n" + MAIN, shop=CHANNEL)).require()

    assert before == after
    assert after.written.of_channel("shop", "stock.buffer") == (str(tmp_path / "erpsync.yaml"), 8)
