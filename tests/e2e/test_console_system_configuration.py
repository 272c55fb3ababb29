"""The page of the configuration: what is in force, and what the files on the disk say now."""

import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from erpsync.settings import Config, Loaded, installed, load
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.web.server import reread
from tests.e2e.test_console import words_of
from tests.support.visitor import visitor
from tests.support.web_shop import NOW, AppServer, open_shop, serve
from tests.unit.settings.test_shown import JD, MAIN

SECRET, TOKEN = "S-42", "T-7"


@dataclass
class House:
    """A console whose configuration was read from files, which may have been edited since."""

    server: AppServer
    store: Store
    folder: Path
    environ: dict[str, str]
    kept: str

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def page(self, *, compare: bool = False) -> str:
        path = "configuration?compare=1" if compare else "configuration"
        answer = visitor(self.store, "rea", role="read").get(self.server.url + path, timeout=60)
        assert (answer.status_code, SECRET in answer.text, TOKEN in answer.text) == (200, False, False)
        return html.unescape(words_of(answer))

    def node(self, id: str, text: str, **values: object) -> None:
        with self.store.begin() as tx:
            node = {"version": "1", "started_at": NOW, "heartbeat_at": NOW}
            tx.execute(insert(tables.node).values(id=id, **node | values))
            tx.execute(insert(tables.in_force).values(node=id, since_at=NOW, text=text))


@pytest.fixture
def house(sqlite_file: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    """Yield such a console; a test that wants rules gives their text as the parameter."""
    folder, environ = tmp_path / "config", {"JD_TOKEN": TOKEN}
    (folder / "channels").mkdir(parents=True)
    files = {"erpsync.yaml": MAIN, "channels/jd.yaml": JD, "secret.txt": f"{SECRET}\n"}
    for name, text in (files | ({"rules.yaml": request.param} if hasattr(request, "param") else {})).items():
        (folder / name).write_text(text, encoding="utf-8")

    def reread() -> Loaded:
        return load(folder, registry=installed(), environ=environ)

    config: Config = reread().require()
    store, ctx = open_shop(f"sqlite:///{sqlite_file}", names=("jd-main",))
    server, _ = serve(store, ctx, keep_s=0, config=lambda: config, reread=reread)
    yield House(server, store, folder, environ, config.kept)
    server.stop(2)
    store.close()


def test_every_setting_is_shown_with_its_line_or_as_a_default(house: House) -> None:
    page = house.page()

    assert "warehouses.0.safety_stock 2 line 3" in page
    assert "stock.ratio 0.8 line 3" in page
    assert f"poll.orders_s 45 {house.folder}/erpsync.yaml:5" in page
    assert "poll.refunds_s 60 default" in page


def test_of_secrets_it_says_where_they_come_from(house: House) -> None:
    page = house.page()

    assert "settings.app_secret !file secret.txt from a file line 6" in page
    assert "settings.access_token ${JD_TOKEN} from the environment line 7" in page


def test_files_that_say_what_is_in_force_change_nothing(house: House) -> None:
    assert "They say what is in force. A reload would change nothing." in house.page(compare=True)


def test_the_files_are_compared_only_when_somebody_asks(house: House) -> None:
    house.write("erpsync.yaml", "database: [")

    assert "A reload would be refused" not in house.page()


def test_what_a_reload_would_change_is_told_setting_by_setting(house: House) -> None:
    house.write("channels/jd.yaml", JD.replace("0.8", "0.7"))
    house.write("channels/new.yaml", JD.replace("jd-main", "jd-second"))

    page = house.page(compare=True)

    assert "They say something else than what is in force." in page
    assert f"jd-main stock.ratio 0.8 0.7 {house.folder}/channels/jd.yaml:3" in page
    assert "The shop jd-second is new." in page


RULES = "rules:\n  - {id: '15', when: {paid_min: {lt: 15}}, then: {hold: 等一刻钟}}\n"


def test_rules_that_are_new_are_told_with_their_lines(house: House) -> None:
    house.write("rules.yaml", RULES)

    page = house.page(compare=True)

    assert f"rules.yaml rules.15.when.paid_min.lt not written 15 {house.folder}/rules.yaml:2" in page
    assert f"rules.yaml order not written 15 {house.folder}/rules.yaml:1" in page


def test_mistakes_in_rules_refuse_a_reload(house: House) -> None:
    house.write("rules.yaml", RULES.replace("paid_min", "paid_mins"))

    page = house.page(compare=True)

    assert "A reload would be refused: there is 1 problem." in page
    assert f"{house.folder}/rules.yaml:2:23 rules.0.when.paid_mins" in page


@pytest.mark.parametrize("house", [RULES], indirect=True)
def test_the_rules_in_force_are_shown_with_their_lines(house: House) -> None:
    assert "rules.15.then.hold 等一刻钟 line 2" in house.page()


def test_a_shop_whose_file_is_gone_is_told(house: House) -> None:
    (house.folder / "channels/jd.yaml").unlink()

    assert "The shop jd-main is gone" in house.page(compare=True)


def test_a_secret_that_is_another_one_is_told_although_no_file_says_so(house: House) -> None:
    house.environ["JD_TOKEN"] = "T-8"

    assert "The shop jd-main changes although its file says the same" in house.page(compare=True)


def test_what_only_a_restart_changes_is_told(house: House) -> None:
    house.write("erpsync.yaml", MAIN.replace("shop.db", "other.db"))

    assert "A reload would be refused: database changed, and that needs a restart." in house.page(compare=True)


def test_problems_are_told_with_file_line_and_column(house: House) -> None:
    house.write("channels/jd.yaml", JD.replace("ratio: 0.8", "ratoi: 0.8"))

    page = house.page(compare=True)

    assert "A reload would be refused: there is 1 problem." in page
    assert f"{house.folder}/channels/jd.yaml:3:9 stock.ratoi" in page
    assert "did you mean 'ratio'?" in page


def test_daemons_that_work_by_another_configuration_are_told_with_what_differs(house: House) -> None:
    house.node(house.store.owner, house.kept)
    house.node("two:9:cd", house.kept.replace("0.8", "0.9"))

    page = house.page()

    assert "two:9:cd ✓ running" in page
    assert "1 setting differs" in page
    assert "jd-main stock.ratio : here 0.8 , there 0.9" in page
    assert "In force since 16:25 ." in page


def test_what_the_last_reload_changed_is_told(house: House) -> None:
    house.node(house.store.owner, house.kept)
    with house.store.begin() as tx:
        told = {"at": NOW, "kind": "config.reloaded", "detail": '{"changed": ["jd-main"]}', "actor": ""}
        tx.execute(insert(tables.event).values(id=1, **told))

    assert "Reloaded at 16:25 : jd-main changed." in house.page()


def test_a_reload_that_was_refused_is_told_with_why(house: House) -> None:
    at = NOW - timedelta(minutes=5)
    house.node(house.store.owner, house.kept, refused_at=at, refused="channels/jd.yaml:3:9: stock.ratoi: <b>")

    page = house.page()

    assert "The reload at 16:20 was refused; what was in force before stays in force:" in page
    assert "channels/jd.yaml:3:9: stock.ratoi: <b>" in page


def test_the_daemons_server_reads_its_own_files_again(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("timezone: Asia/Shanghai\n", encoding="utf-8")
    config = load(tmp_path / "shop.yaml", registry=installed(), environ={}).require()
    (tmp_path / "shop.yaml").write_text("timezone: Asia/Tokyo\n", encoding="utf-8")

    assert reread(config).require().timezone.key == "Asia/Tokyo"


def test_a_console_without_files_says_so(sqlite_file: Path) -> None:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    server, _ = serve(store, ctx, keep_s=0)
    page = words_of(visitor(store).get(f"{server.url}configuration?compare=1", timeout=60))
    server.stop(2)
    store.close()

    assert "This console was started without files of a configuration." in page
