"""Rules that would hold many more or fewer orders than those in force are taken for a mistake."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from erpsync.core.policy import WarehousePolicy
from erpsync.settings import ChannelConfig, Config, Loaded
from erpsync.settings.rule_config import RulesConfig
from erpsync.settings.rules import load_rules
from tests.support.facts import fact, order, take_in
from tests.support.scene import FakeBuilt, Scene, running
from tests.support.shop import SHANGHAI, Town

EVERYTHING = "rules: [{id: all, when: {total: {ge: 0}}, then: {hold: 全部}}]"


def rules(folder: Path, text: str) -> RulesConfig:
    (folder / "rules.yaml").write_text(text, encoding="utf-8")
    return load_rules(folder / "rules.yaml", timezone=SHANGHAI).require()


@pytest.mark.concurrent("threads")
@pytest.mark.parametrize(("most", "taken"), [(2, False), (3, True)])
def test_a_reload_that_would_change_too_many_holds_is_refused_with_the_figures(
    make_town: Callable[..., Town], tmp_path: Path, most: int, taken: bool
) -> None:
    town = make_town()
    take_in(town, *(fact(order(f"o{n}")) for n in range(3)))
    shop = ChannelConfig(id="shop", connector="shop", settings=None)
    config = Config(
        folder=tmp_path, database="", channels=(shop,), warehouses=(WarehousePolicy(id="SH"),), most_changed=most
    )
    built = FakeBuilt(config, town.store)
    with running(built, Scene()) as daemon:
        built.next = Loaded(config=replace(config, rules=rules(tmp_path, EVERYTHING)))
        done = daemon.reload()

    assert done.taken is taken
    if not taken:
        assert "would change the holds of 3 of 3 open orders (rule:all: 3)" in done.why
        assert "`erpsync plan` names them" in done.why
    assert bool(built.ctx.book.effects) is taken
