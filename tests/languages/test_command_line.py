"""The command line in Chinese: which language is spoken, what is said in it, and what stays as programs know it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from erpsync.cli.arguments import build_parser
from erpsync.cli.command import Command
from erpsync.cli.commands import COMMANDS
from erpsync.cli.language import asked_for, chosen
from erpsync.cli.main import main
from erpsync.cli.wide import columns, wrapped
from erpsync.languages import ENGLISH, language
from tests.e2e.command_desk import Desk, set_up, trade
from tests.e2e.test_one_zone import COMMANDS as LOOKS
from tests.e2e.test_one_zone import trouble
from tests.languages.leftovers import in_our_words, left_over
from tests.support.web_shop import fill, open_shop


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk with a day's orders in trouble of every kind."""
    return trade(set_up(tmp_path_factory.mktemp("desk")))


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk on a database with tasks, letters, effects and stories."""
    desk = set_up(tmp_path_factory.mktemp("desk"), channels=("tmall-flagship", "jd-main"))
    assert desk.run("migrate").code == 0
    store, ctx = open_shop(f"sqlite:///{desk.folder}/var/erpsync.db")
    fill(store, ctx)
    trouble(store, ctx, "tmall-flagship")
    in_our_words(store)
    store.close()
    return desk


@pytest.mark.parametrize(
    ("words", "environ", "code"),
    [
        ([], {}, "en"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ([], {"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ([], {"LANG": "zh_CN", "ERPSYNC_LANG": "en"}, "en"),
        ([], {"ERPSYNC_LANG": "zh-CN"}, "zh"),
        (["--lang", "zh", "status"], {"ERPSYNC_LANG": "en"}, "zh"),
        (["status", "--lang=zh"], {}, "zh"),
        (["--lang", "zh", "status", "--lang", "en"], {}, "en"),
        (["--lang", "fr"], {"LANG": "zh_CN"}, "en"),
        (["orders", "find", "--", "--lang"], {}, "en"),
    ],
)
def test_the_option_goes_before_the_variable_and_that_before_the_locale(
    words: list[str], environ: dict[str, str], code: str
) -> None:
    assert chosen(words, environ).code == code


def test_an_option_without_a_value_chooses_nothing() -> None:
    assert asked_for(["status", "--lang"]) is None


def test_a_variable_with_another_language_is_refused() -> None:
    with pytest.raises(ValueError, match="ERPSYNC_LANG must be one of en, zh, is fr"):
        chosen([], {"ERPSYNC_LANG": "fr"})


def test_an_unknown_language_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "fr", "status"]) == 2

    assert "--lang: must be one of en, zh, is 'fr'" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_help_is_in_chinese(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "zh", *command.name.split(), "--help"]) == 0

    shown = capsys.readouterr().out
    about = re.sub(r"(?m)^用法：(.*\n)+?\n|^  erpsync .*$|^ *-?-?[a-zA-Z\[-].*?(?:  +|$)", "", shown)
    assert shown.startswith("用法：erpsync")
    assert left_over(about) == []


@pytest.mark.concurrent("processes")
def test_the_list_of_commands_is_aligned_and_no_line_is_too_wide(traded: Desk) -> None:
    shown = traded.apart("--lang", "zh", "--help", COLUMNS="80", PYTHONUTF8="1").out.splitlines()

    starts = {
        re.search("[\u4e00-\u9fff]", line).start() for line in shown if re.match(" {4}[a-z]+ +[\u4e00-\u9fff]", line)
    }  # type: ignore[union-attr]
    assert len(starts) == 1
    assert max(sum(map(columns, line)) for line in shown) <= 80


def test_a_line_of_chinese_is_broken_between_characters_and_never_before_a_closing_mark() -> None:
    assert list(wrapped("从文件导入盘点，可选as_of", 10)) == ["从文件导入", "盘点，可选", "as_of"]
    assert list(wrapped("一二三四五，六", 10)) == ["一二三四", "五，六"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "erpsync: 缺少必填参数：COMMAND（参见erpsync --help）"),
        (["stauts"], "没有命令'stauts'；您是不是想用“status”？"),
        (["orders", "list", "--limit", "-1"], "参数--limit：不能小于0，现在是-1"),
        (["orders", "list", "--stat", "open"], "无法识别的参数：--stat open"),
        (["orders", "list", "--limit"], "参数--limit：需要一个值"),
    ],
)
def test_wrong_usage_is_said_in_chinese(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "zh", *words]) == 2

    assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", LOOKS, ids=" ".join)
def test_no_english_is_left_in_what_a_command_prints(troubled: Desk, words: tuple[str, ...]) -> None:
    name = "tmall-flagship" if words[-1] == "shop" else words[-1]

    ran = troubled.run("--lang", "zh", *words[:-1], name)

    assert left_over(f"{ran.out}\n{ran.err}") == []
    assert re.search("[\u4e00-\u9fff]", ran.out + ran.err)


@pytest.mark.parametrize(
    "words", [*LOOKS[:1], ("orders", "show", "1001"), ("explain", "1002"), ("trail", "list")], ids=" ".join
)
def test_no_english_is_left_after_a_days_trade(traded: Desk, words: tuple[str, ...]) -> None:
    ran = traded.run("--lang", "zh", *words)

    assert left_over(f"{ran.out}\n{ran.err}") == []


def test_json_is_the_same_in_every_language(traded: Desk) -> None:
    for words in (("orders", "list"), ("tasks", "list"), ("explain", "1002")):
        assert traded.run("--lang", "zh", *words, "--json").out == traded.run(*words, "--json").out


def test_a_refusal_is_said_in_chinese(traded: Desk) -> None:
    ran = traded.run("--lang", "zh", "orders", "show", "9999")

    assert (ran.code, ran.err) == (1, "erpsync: 没有订单9999：既不是系统订单号，也不是店铺订单号\n")


def test_money_is_written_as_in_china(traded: Desk) -> None:
    assert "¥258.00" in traded.run("--lang", "zh", "orders", "show", "1001").out
    assert "258.00 CNY" in traded.run("orders", "show", "1001").out


@pytest.mark.concurrent("processes")
def test_the_variable_counts_in_a_process_of_its_own(traded: Desk) -> None:
    assert "没有这样的订单" in traded.apart("orders", "list", "--status", "completed", ERPSYNC_LANG="zh").err


@pytest.mark.concurrent("processes")
def test_what_is_written_for_a_shell_or_pager_is_chinese_only_when_asked_for(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    assert "订单" in desk.run("--lang", "zh", "manual").out or "[u8BA2]" in desk.run("--lang", "zh", "manual").out
    assert "[u8BA2]" not in desk.apart("manual", LANG="zh_CN.UTF-8", LC_ALL="").out


@pytest.mark.concurrent("processes")
def test_an_english_command_reads_no_catalogue_and_no_babel() -> None:
    """The command line has to answer at once."""
    code = "import sys; from erpsync.cli.main import main; main(['--lang', 'en', '--help']); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert "erpsync.languages.language" in loaded
    assert "babel" not in loaded
    assert "erpsync.languages.speaker" not in loaded


def test_a_parser_in_english_is_what_it_always_was() -> None:
    assert build_parser().format_help() == build_parser(ENGLISH).format_help()
    assert build_parser(language("zh")).format_help() != build_parser().format_help()
