"""What a configuration means: scalars, defaults and their overriding, paths, policies."""

from dataclasses import fields as dataclass_fields
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from erpsync.core.policy import BrakePolicy, LimitPolicy, OrderPolicy, PollPolicy, StockPolicy, WarehousePolicy
from erpsync.settings import Config, StatusLimits, find_config
from erpsync.settings.models import MainFile
from erpsync.settings.tree import core_scalar
from tests.unit.settings.builders import CHANNEL, MAIN, config, loaded, problems, write


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("22:30", "22:30"),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("-7", -7),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("2026-03-02", "2026-03-02"),
        ("True", True),
        ("~", None),
        ("", None),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_plain_scalar_means_what_yaml_1_2_says(text: str, value: object) -> None:
    got = core_scalar(text)

    assert (type(got), got) == (type(value), value)


def test_quotes_make_text_of_anything(tmp_path: Path) -> None:
    channel = config(
        tmp_path, shop=CHANNEL.replace("}", ", words: {a: '1', b: \"true\", c: !!str 7, no: NO}}")
    ).channels[0]

    assert channel.settings.words == {"a": "1", "b": "true", "c": "7", "no": "NO"}


def test_an_empty_file_means_every_default(tmp_path: Path) -> None:
    got = config(tmp_path, main="# nothing yet\n")

    assert got == Config(folder=tmp_path, database=f"sqlite:///{tmp_path}/var/erpsync.db")
    assert (got.web_host, got.web_port, got.stop_s, got.seal_after_s) == ("127.0.0.1", 8686, 5, 3600)
    assert (got.timezone, got.migrate, got.privacy) == (ZoneInfo("Asia/Shanghai"), "manual", None)


def test_the_limits_of_status_have_one_set_of_defaults() -> None:
    model = MainFile().status

    assert {each.name: getattr(model, each.name) for each in dataclass_fields(StatusLimits)} == {
        each.name: getattr(StatusLimits(), each.name) for each in dataclass_fields(StatusLimits)
    }


def test_a_channel_that_says_nothing_gets_every_default(tmp_path: Path) -> None:
    channel = config(tmp_path, shop=CHANNEL).channels[0]

    assert (channel.id, channel.connector, channel.enabled) == ("shop", "market", True)
    assert (channel.poll, channel.orders, channel.stock, channel.limits) == (
        PollPolicy(),
        OrderPolicy(),
        StockPolicy(),
        LimitPolicy(),
    )
    assert channel.retention_days == 180


def test_every_key_of_a_channel_reaches_its_policy(tmp_path: Path) -> None:
    text = """
poll: {orders_s: 1, refunds_s: 2, listings_s: 3, overlap_s: 4, backfill_days: 5, auth_retry_s: 6}
orders: {reserve: placement, reserve_minutes: 7, require_address: never, number: "A{seq}", gate_s: 8}
stock: {push: false, warehouses: [GZ], buffer: 9, ratio: 0.5, settle_s: 10, urgent_below: 11,
        brake: {zero_share: 0.1, min_listings: 12}}
limits: {calls_per_s: 0.5, burst: 1}
retention_days: 13
"""
    channel = config(tmp_path, shop=CHANNEL + text).channels[0]

    assert channel.poll == PollPolicy(
        orders_s=1, refunds_s=2, listings_s=3, overlap_s=4, backfill_days=5, auth_retry_s=6
    )
    assert channel.orders == OrderPolicy(
        reserve="placement", reserve_minutes=7, require_address="never", number="A{seq}", gate_s=8
    )
    assert channel.stock == StockPolicy(
        push=False,
        warehouses=("GZ",),
        buffer=9,
        ratio=0.5,
        settle_s=10,
        urgent_below=11,
        brake=BrakePolicy(zero_share=0.1, min_listings=12),
    )
    assert (channel.limits, channel.retention_days) == (LimitPolicy(calls_per_s=0.5, burst=1), 13)


def test_a_channel_overrides_the_defaults_key_by_key(tmp_path: Path) -> None:
    main = MAIN + "defaults: {poll: {orders_s: 5, refunds_s: 6}, stock: {warehouses: [SH], brake: {zero_share: 0.2}}}"
    text = CHANNEL + "poll: {refunds_s: 7}\nstock: {brake: {min_listings: 3}}\n"

    channel = config(tmp_path, main, shop=text).channels[0]

    assert channel.poll == PollPolicy(orders_s=5, refunds_s=7)
    assert channel.stock == StockPolicy(warehouses=("SH",), brake=BrakePolicy(zero_share=0.2, min_listings=3))


def test_a_channel_takes_all_warehouses_again_by_an_empty_value(tmp_path: Path) -> None:
    main = MAIN + "defaults: {stock: {warehouses: [SH]}}"

    assert config(tmp_path, main, shop=CHANNEL + "stock: {warehouses: }").channels[0].stock.warehouses is None


def test_a_section_whose_keys_are_all_commented_out_is_empty(tmp_path: Path) -> None:
    assert config(tmp_path, shop=CHANNEL + "poll:\n  # orders_s: 5\n").channels[0].poll == PollPolicy()


def test_warehouses_become_policies(tmp_path: Path) -> None:
    got = config(tmp_path, "warehouses:\n- {id: SH, priority: 2, safety_stock: 3}\n- {id: QC, sellable: false}")

    assert got.warehouses == (
        WarehousePolicy(id="SH", priority=2, safety_stock=3),
        WarehousePolicy(id="QC", sellable=False),
    )


def test_an_address_of_ipv6_loses_its_brackets(tmp_path: Path) -> None:
    got = config(tmp_path, "web: {listen: '[::1]:0'}")

    assert (got.web_host, got.web_port) == ("::1", 0)


def test_relative_paths_start_at_the_folder_of_erpsync_yaml(tmp_path: Path) -> None:
    got = config(tmp_path, "database: sqlite:///data/a.db?x=1", shop=CHANNEL.replace("}", ", folder: in}"))

    assert got.sqlite_file == tmp_path / "data" / "a.db"
    assert got.channels[0].settings.folder == tmp_path / "in"


def test_absolute_paths_stay(tmp_path: Path) -> None:
    got = config(tmp_path, "database: sqlite:////srv/a.db", shop=CHANNEL.replace("}", ", folder: /in}"))

    assert (got.database, got.channels[0].settings.folder) == ("sqlite:////srv/a.db", Path("/in"))


def test_the_file_itself_may_be_named_instead_of_its_folder(tmp_path: Path) -> None:
    write(tmp_path, shop=CHANNEL)

    assert loaded(tmp_path / "erpsync.yaml") == loaded(tmp_path)


def test_channels_come_in_the_order_of_their_file_names(tmp_path: Path) -> None:
    got = config(tmp_path, b=CHANNEL.replace("shop", "one"), a=CHANNEL.replace("shop", "two"))

    assert [channel.id for channel in got.channels] == ["two", "one"]


def test_a_shared_value_may_be_written_once_and_named_again(tmp_path: Path) -> None:
    got = config(tmp_path, MAIN + "runtime: {stop_s: &five 5}\nreconcile: {seal_after_s: *five}")

    assert (got.stop_s, got.seal_after_s) == (5, 5)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    write(tmp_path, b"\xef\xbb\xbfruntime:\r\n  stop_s: 7\r\n  stopp_s: 7\r\n")

    assert problems(tmp_path, loaded(tmp_path)) == [
        "erpsync.yaml:3:3: runtime.stopp_s: unknown key; did you mean 'stop_s'?"
    ]


def test_the_configuration_named_on_the_command_line_goes_first(tmp_path: Path) -> None:
    here = write(tmp_path)

    assert find_config("given", {"ERPSYNC_CONFIG": "env"}, [here]) == Path("given")
    assert find_config(None, {"ERPSYNC_CONFIG": "env"}, [here]) == Path("env")
    assert find_config(None, {}, [tmp_path / "nothing", here]) == here
    assert find_config(None, {}, [tmp_path / "nothing"]) == tmp_path / "nothing"
