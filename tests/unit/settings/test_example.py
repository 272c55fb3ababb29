"""The configuration that ships as an example is right, and works without a single secret."""

import shutil
from pathlib import Path

import pytest

from erpsync.settings import Config, installed, load

FOLDER = Path(__file__).parents[3] / "config"


@pytest.fixture(scope="module")
def example() -> Config:
    return load(FOLDER, registry=installed(), environ={}).require()


def test_the_example_has_no_problem_and_no_warning() -> None:
    result = load(FOLDER, registry=installed(), environ={})

    assert [str(problem) for problem in result.problems] == []
    assert [(note.severity, note.path) for note in result.notes] == [("note", "privacy")]


def test_the_example_shows_a_shop_that_is_off_and_a_folder_that_works(example: Config) -> None:
    assert [(each.id, each.connector, each.enabled) for each in example.channels] == [
        ("apprise-team", "apprise", False),
        ("cainiao-sto", "cainiao", False),
        ("courier-files", "carrier_file", False),
        ("dingtalk-sales", "dingtalk_bot", False),
        ("drop-folder", "csv_drop", True),
        ("feishu-finance", "feishu_bot", False),
        ("jd-main", "jd", False),
        ("kuaidi100-sf", "kuaidi100", False),
        ("mail-admin", "mail", False),
        ("own-shop", "webhook_json", False),
        ("sf", "sf", False),
        ("tmall-flagship", "taobao", False),
        ("warehouse-api", "warehouse_json", False),
        ("warehouse-files", "warehouse_file", False),
        ("webhook-production", "webhook_message", False),
        ("wecom-warehouse", "wecom_bot", False),
    ]


def test_the_examples_folders_lie_beside_it(example: Config) -> None:
    assert example.sqlite_file == FOLDER / "var" / "erpsync.db"
    assert next(each for each in example.channels if each.enabled).settings.folder == FOLDER / "var" / "drop" / "in"


def test_the_rules_that_ship_count_only_once_they_are_called_rules(tmp_path: Path, example: Config) -> None:
    shutil.copytree(FOLDER, tmp_path / "config", ignore=shutil.ignore_patterns("var"))
    (tmp_path / "config" / "rules.example.yaml").rename(tmp_path / "config" / "rules.yaml")
    result = load(tmp_path / "config", registry=installed(), environ={})

    assert example.rules.rules == ()
    assert [rule.id for rule in result.require().rules.rules] == [
        "settle-time",
        "night-big",
        "floor",
        "address",
        "remote",
        "memo-sf",
        "memo-left",
        "brush",
        "cod-alone",
        "spring-gift",
        "frozen-apart",
        "heavy",
    ]
    assert [(note.severity, note.path) for note in result.notes] == [("note", "privacy")]
