"""rules.yaml is part of the configuration: read, checked, compared, kept and shown with the other files."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from erpsync.settings import Config, Diff, Loaded, changed_channels
from erpsync.settings.kept import say_the_same
from erpsync.settings.rescue import restore
from erpsync.settings.shown import Change, changes, shown
from tests.unit.settings.builders import CHANNEL, MAIN, loaded, notes, problems, registry, write

RULES = """\
zones: {remote: [新疆, 西藏]}
rules:
  - {id: settle, when: {paid_min: {lt: 15}}, then: {hold: 等一刻钟}}
  - id: far
    when: {zone: remote, channel: shop, connector: market}
    then: {warehouse: [GZ], tag: [偏远]}
"""


def read(folder: Path, rules: str | None = RULES, main: str = MAIN, **channels: str) -> Loaded:
    write(folder, main, **(channels or {"shop": CHANNEL}))
    if rules is not None:
        (folder / "rules.yaml").write_text(rules)
    return loaded(folder)


def config(folder: Path, rules: str | None = RULES, main: str = MAIN) -> Config:
    return read(folder, rules, main).require()


def test_the_rules_beside_erpsync_yaml_are_part_of_the_configuration(tmp_path: Path) -> None:
    rules = config(tmp_path).rules

    assert [rule.id for rule in rules.rules] == ["settle", "far"]
    assert rules.zones == {"remote": (("新疆", ""), ("西藏", ""))}
    assert (rules.file, rules.lines) == (str(tmp_path / "rules.yaml"), {"settle": 3, "far": 4})


def test_without_the_file_there_are_no_rules(tmp_path: Path) -> None:
    rules = config(tmp_path, None).rules

    assert (rules.rules, rules.file) == ((), str(tmp_path / "rules.yaml"))


@pytest.mark.concurrent("processes")
def test_a_configuration_without_rules_loads_nothing_that_reads_or_judges_them(tmp_path: Path) -> None:
    config(tmp_path, None)
    code = (
        "import sys\n"
        "from erpsync.settings import Registry, load\n"
        "load(sys.argv[1], registry=Registry.of({}), environ={})\n"
        "print([name for name in sys.modules if name.startswith(('erpsync.core.rules', 'erpsync.settings.rules'))])"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_a_rule_may_name_a_shop_that_is_disabled(tmp_path: Path) -> None:
    assert problems(tmp_path, read(tmp_path, shop=CHANNEL + "enabled: false\n")) == []


def test_names_that_no_other_file_holds_are_problems_of_the_configuration(tmp_path: Path) -> None:
    result = read(tmp_path, main="warehouses: [{id: SH}]\n", other=CHANNEL.replace("shop", "other"))

    assert result.config is None
    assert problems(tmp_path, result) == [
        "rules.yaml:5:26: rules.1.when.channel: there is no channel 'shop'; known are other",
        "rules.yaml:6:12: rules.1.then.warehouse: no warehouse 'GZ' in erpsync.yaml; known are SH",
    ]


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    result = read(tmp_path, RULES.replace("paid_min", "paid_mins"), MAIN + "tmezone: UTC\n", shop=CHANNEL + "pol: {}\n")

    assert [(Path(each.file).name, each.line, each.path) for each in result.problems] == [
        ("erpsync.yaml", 2, "tmezone"),
        ("shop.yaml", 4, "pol"),
        ("rules.yaml", 3, "rules.0.when.paid_mins"),
    ]


def test_what_refuses_no_rule_is_a_note_of_the_configuration(tmp_path: Path) -> None:
    twice = RULES + "  - {id: again, when: {zone: remote, connector: market, channel: shop}, then: {warehouse: [SH]}}\n"

    assert notes(tmp_path, read(tmp_path, twice)) == [
        "warning: rules.yaml:7:80: rules.2.then.warehouse: "
        "never counts: rule 'far' above has warehouse too and matches wherever this one does"
    ]


@pytest.mark.parametrize("main", ["warehouses: [\n", "- a list\n", "\tdatabase: x\n"])
def test_rules_are_checked_also_while_erpsync_yaml_cannot_be_read(tmp_path: Path, main: str) -> None:
    result = read(tmp_path, RULES.replace("paid_min", "paid_mins").replace("channel: shop", "channel: sop"), main)

    assert [each.path for each in result.problems if each.file.endswith("rules.yaml")] == [
        "rules.0.when.paid_mins",
        "rules.1.when.channel",
    ]


@pytest.mark.parametrize("text", ["id: [\n", "connector: market\n", "id: shop\n"])
def test_names_of_channels_are_believed_while_one_of_their_files_cannot_be_read(tmp_path: Path, text: str) -> None:
    rules = RULES.replace("channel: shop", "channel: tmall").replace("connector: market", "connector: jd")
    result = read(tmp_path, rules, shop=text)
    about_rules = [each.path for each in result.problems if each.file.endswith("rules.yaml")]

    unknown = [path for path, key in (("rules.1.when.channel", "id: shop"), ("rules.1.when.connector", "connector:"))]
    said = {"id: [\n": [], "connector: market\n": unknown[1:], "id: shop\n": unknown[:1]}
    assert about_rules == said[text]


def test_names_of_channels_are_believed_while_their_folder_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "erpsync.yaml").write_text(MAIN)
    (tmp_path / "channels").write_text("a file")
    (tmp_path / "rules.yaml").write_text(RULES)

    assert [Path(each.file).name for each in loaded(tmp_path).problems] == ["channels"]


def test_a_file_of_rules_with_another_ending_is_told(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)

    assert notes(tmp_path, read(tmp_path, None)) == [
        "warning: rules.yml:1:1: .: is not read: the file of rules is called rules.yaml"
    ]


def test_rules_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").symlink_to(tmp_path / "gone.yaml")
    assert problems(tmp_path, read(tmp_path, None)) == ["rules.yaml:1:1: .: no such file"]

    (tmp_path / "rules.yaml").unlink()
    (tmp_path / "rules.yaml").mkdir()
    assert problems(tmp_path, read(tmp_path, None)) == ["rules.yaml:1:1: .: cannot be read: is a directory"]


def test_rules_of_which_nobody_can_tell_whether_they_are_there_are_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "round").symlink_to(tmp_path / "round")

    assert [Path(each.file).name for each in loaded(tmp_path / "round").problems] == ["erpsync.yaml", "rules.yaml"]


def test_instants_of_rules_are_by_the_clock_of_erpsync_yaml(tmp_path: Path) -> None:
    rules = "rules: [{id: a, from: 2027-03-01T10:00, when: {lines: 1}, then: {hold: x}}]"
    (rule,) = config(tmp_path, rules, MAIN + "timezone: Asia/Tokyo\n").rules.rules

    assert rule.from_at == datetime(2027, 3, 1, 1, tzinfo=UTC)


# ---- a reload ------------------------------------------------------------------------------------------------------


def test_a_change_of_rules_is_named_and_a_comment_is_none(tmp_path: Path) -> None:
    before = config(tmp_path)

    assert changed_channels(before, config(tmp_path, "# by night\n" + RULES)) == Diff()
    assert changed_channels(before, config(tmp_path, RULES.replace("15", "20"))) == Diff(others=("rules",))
    assert changed_channels(before, config(tmp_path, RULES.replace(", 西藏", ""))) == Diff(others=("rules",))


def test_the_same_rules_in_another_folder_are_the_same(tmp_path: Path) -> None:
    assert config(tmp_path / "a").rules == config(tmp_path / "b").rules


def test_rules_in_another_order_are_other_rules(tmp_path: Path) -> None:
    first, second = "{id: a, when: {lines: 1}, then: {tag: [x]}}", "{id: b, when: {tag: [x]}, then: {hold: y}}"
    before = config(tmp_path, f"rules: [{first}, {second}]")

    assert changed_channels(before, config(tmp_path, f"rules: [{second}, {first}]")) == Diff(others=("rules",))


def test_the_most_that_a_reload_may_change_is_a_setting(tmp_path: Path) -> None:
    before = config(tmp_path)
    after = config(tmp_path, main=MAIN + "rules: {most_changed: 20}\n")

    assert (before.most_changed, after.most_changed) == (500, 20)
    assert changed_channels(before, after) == Diff(others=("most_changed",))


def test_a_reload_that_may_change_nothing_is_no_setting(tmp_path: Path) -> None:
    assert problems(tmp_path, read(tmp_path, main=MAIN + "rules: {most_changed: 0}\n")) == [
        "erpsync.yaml:2:9: rules.most_changed: must be at least 1, is 0"
    ]


# ---- kept and shown ------------------------------------------------------------------------------------------------


def again(kept: str) -> Config:
    return restore(kept, database="sqlite:////elsewhere.db", registry=registry(), environ={}).require()


def test_rules_are_kept_with_the_configuration_and_read_again_the_same_without_their_lines(tmp_path: Path) -> None:
    whole = config(tmp_path)
    remembered = again(whole.kept).rules

    assert remembered == whole.rules
    assert (remembered.file, remembered.lines) == (str(tmp_path / "rules.yaml"), {})


def test_the_rules_kept_of_a_folder_that_is_called_channels_are_no_channel(tmp_path: Path) -> None:
    whole = config(tmp_path / "channels")

    assert [channel.id for channel in again(whole.kept).channels] == ["shop"]
    assert again(whole.kept).rules == whole.rules


def test_a_configuration_that_an_older_version_kept_has_no_rules(tmp_path: Path) -> None:
    kept = json.loads(config(tmp_path).kept)
    del kept["rules"]

    assert again(json.dumps(kept)).rules.rules == ()


def test_configurations_with_other_rules_do_not_say_the_same(tmp_path: Path) -> None:
    before, commented = config(tmp_path).kept, config(tmp_path, "# by night\n" + RULES).kept
    (tmp_path / "rules.yaml").unlink()

    assert say_the_same(before, commented)
    assert not say_the_same(before, config(tmp_path, None).kept)


def test_rules_are_shown_rule_by_rule_with_their_lines(tmp_path: Path) -> None:
    [file] = [file for file in shown(config(tmp_path)) if file.channel == "rules.yaml"]
    line = {setting.path: (setting.value, setting.written and setting.written[1]) for setting in file.settings}

    assert file.file == str(tmp_path / "rules.yaml")
    assert line == {
        "zones.remote": ("新疆, 西藏", 1),
        "order": ("settle, far", 2),
        "rules.settle.when.paid_min.lt": ("15", 3),
        "rules.settle.then.hold": ("等一刻钟", 3),
        "rules.far.when.zone": ("remote", 5),
        "rules.far.when.channel": ("shop", 5),
        "rules.far.when.connector": ("market", 5),
        "rules.far.then.warehouse": ("GZ", 6),
        "rules.far.then.tag": ("偏远", 6),
    }


def test_a_file_of_zones_alone_is_shown_too(tmp_path: Path) -> None:
    [file] = [it for it in shown(config(tmp_path, "zones: {near: [上海, 浙江/杭州]}")) if it.channel == "rules.yaml"]

    assert [(setting.path, setting.value) for setting in file.settings] == [
        ("zones.near", "上海, 浙江/杭州"),
        ("order", ""),
    ]


def test_what_rules_say_otherwise_is_told_rule_by_rule_wherever_they_stand(tmp_path: Path) -> None:
    before = config(tmp_path)
    first = "rules:\n  - {id: new, when: {lines: 1}, then: {hold: x}}\n"
    after = config(tmp_path, RULES.replace("rules:\n", first).replace("15", "20"))

    assert changes(before.kept, after.kept) == [
        Change(channel="rules.yaml", path="order", before="settle, far", after="new, settle, far"),
        Change(channel="rules.yaml", path="rules.settle.when.paid_min.lt", before="15", after="20"),
        Change(channel="rules.yaml", path="rules.new.when.lines", before=None, after="1"),
        Change(channel="rules.yaml", path="rules.new.then.hold", before=None, after="x"),
    ]
