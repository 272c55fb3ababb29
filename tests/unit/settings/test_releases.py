"""How orders leave, as it is configured: parcels, desks, senders, couriers; and what says nothing, told as a note."""

from decimal import Decimal
from pathlib import Path

import pytest

from erpsync.core.policy import (
    AccountPolicy,
    CourierPolicy,
    MergePolicy,
    OrderPolicy,
    ParcelPolicy,
    RefusedPolicy,
    ReleasePolicy,
    WarehousePolicy,
)
from erpsync.sdk.roles import Connector, CourierSink, TrackSource
from erpsync.sdk.types import CheckReport, Sender
from erpsync.settings import Loaded, Registry, load
from tests.unit.settings.builders import CHANNEL, Market, MarketSettings, config, loaded, notes, problems, write

SENDER = (
    '{name: 王五, phone: "021-50000000", company: 好店, province: 上海市, city: 上海市, district: 浦东新区, '
    "address: 世纪大道1号}"
)
SHOPS = "id: jd-main\nconnector: market\nsettings: {app_key: k, app_secret: !file secret}\n"


class Scout(Connector, TrackSource):
    """Says what happens to parcels."""

    Settings = MarketSettings
    pull_tracks = normalise_track = None  # type: ignore[assignment]

    def check(self) -> CheckReport:
        """Say that all is well."""
        return CheckReport()


class Courier(Scout, CourierSink):
    """Carries them as well."""

    carriers = book = cancel_booking = label = None  # type: ignore[assignment]


def checked(folder: Path, main: str, **channels: str) -> Loaded:
    write(folder, main, **channels)
    return load(folder, registry=Registry.of({"market": Market, "courier": Courier, "scout": Scout}), environ={})


def test_a_channel_says_how_its_orders_leave_and_the_defaults_say_the_rest(tmp_path: Path) -> None:
    main = "defaults: {orders: {partial: ready, merge: {orders: 3, sibling: wait}, parcel: {max_units: 40}}}\n"
    shop = "orders: {partial_min: 9.9, merge: {weight_g: 20000}, parcel: {max_weight_g: 30000}, couriers: [sf, YTO]}\n"

    got = config(tmp_path, main, shop=CHANNEL + shop)

    assert got.channels[0].orders == OrderPolicy(
        partial="ready",
        partial_min=Decimal("9.9"),
        merge=MergePolicy(orders=3, weight_g=20000, sibling="wait"),
        parcel=ParcelPolicy(max_weight_g=30000, max_units=40),
        couriers=("SF", "YTO"),
    )
    assert got.order_defaults.merge == MergePolicy(orders=3, sibling="wait")


def test_a_channel_may_take_every_courier_again(tmp_path: Path) -> None:
    got = config(tmp_path, "defaults: {orders: {couriers: [SF]}}\n", shop=CHANNEL + "orders: {couriers: null}\n")

    assert got.channels[0].orders.couriers is None


@pytest.mark.parametrize(
    ("desk", "policy"),
    [
        ("true", WarehousePolicy(id="SH", desk=True)),
        ("false", WarehousePolicy(id="SH")),
        ("{wave_min: 30}", WarehousePolicy(id="SH", desk=True, wave_min=30, wave_size=60)),
        ("{wave_min: 10, wave_size: 20}", WarehousePolicy(id="SH", desk=True, wave_min=10, wave_size=20)),
    ],
)
def test_a_desk_says_how_its_work_is_cut_into_waves(tmp_path: Path, desk: str, policy: WarehousePolicy) -> None:
    assert config(tmp_path, f"warehouses: [{{id: SH, desk: {desk}}}]\n").warehouses == (policy,)


def test_a_warehouse_says_who_sends(tmp_path: Path) -> None:
    [warehouse] = config(tmp_path, f"warehouses: [{{id: SH, sender: {SENDER}}}]\n").warehouses

    assert warehouse.sender == Sender(
        name="王五",
        phone="021-50000000",
        company="好店",
        province="上海市",
        city="上海市",
        district="浦东新区",
        address="世纪大道1号",
    )


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("province: 上海市", "province: 上梅市", "warehouses.0.sender.province: '上梅市' is no province of China"),
        ("021-50000000", "5000", "warehouses.0.sender.phone: must be a whole telephone number"),
        ("name: 王五", 'name: " "', "warehouses.0.sender.name: is empty"),
        ("city: 上海市, ", "", "warehouses.0.sender.city: is missing"),
    ],
)
def test_a_sender_that_no_courier_would_take_is_refused(tmp_path: Path, before: str, after: str, problem: str) -> None:
    result = loaded(write(tmp_path, f"warehouses: [{{id: SH, sender: {SENDER.replace(before, after)}}}]\n"))

    assert [problem.partition(": ")[2] in each or problem in each for each in problems(tmp_path, result)] == [True]


@pytest.mark.parametrize(
    ("main", "problem"),
    [
        (
            "warehouses: [{id: SH, desk: {wave_mni: 3}}]\n",
            "1:30: warehouses.0.desk.wave_mni: unknown key; did you mean 'wave_min'?",
        ),
        (
            "warehouses: [{id: SH, desk: {}, channel: shop}]\n",
            "1:14: warehouses.0: has a desk and a channel: either people send what lies there, or a system does",
        ),
    ],
)
def test_a_desk_that_cannot_be_is_told_by_line_and_column(tmp_path: Path, main: str, problem: str) -> None:
    assert f"erpsync.yaml:{problem}" in problems(tmp_path, loaded(write(tmp_path, main, shop=CHANNEL)))


def test_channels_share_parcels_across_where_it_says_so(tmp_path: Path) -> None:
    refused = "{reroute: true, tries: 3, ask_after_h: 4, drop_after_days: 9}"
    main = f"releases: {{across: [[shop, jd-main]], refused: {refused}}}\n"

    got = config(tmp_path, main, shop=CHANNEL, jd=SHOPS)

    assert got.releases == ReleasePolicy(
        across=(frozenset({"shop", "jd-main"}),),
        refused=RefusedPolicy(reroute=True, tries=3, ask_after_h=4, drop_after_days=9),
    )


@pytest.mark.parametrize(
    ("across", "problem"),
    [
        ("[[shop, jd-mian]]", "1:28: releases.across.0.1: no channel 'jd-mian' in channels/; did you mean 'jd-main'?"),
        ("[[shop, shop]]", "1:28: releases.across.0.1: channel 'shop' stands in this list already"),
        (
            "[[shop, jd-main], [jd-main, b]]",
            "1:39: releases.across.1.0: channel 'jd-main' stands in another list already",
        ),
        ("[[shop]]", "1:21: releases.across.0: must have a length of at least 2, has 1"),
    ],
)
def test_lists_of_channels_that_make_no_sense_are_refused(tmp_path: Path, across: str, problem: str) -> None:
    third = CHANNEL.replace("id: shop", "id: b")

    result = loaded(write(tmp_path, f"releases: {{across: {across}}}\n", shop=CHANNEL, jd=SHOPS, b=third))

    assert problems(tmp_path, result) == [f"erpsync.yaml:{problem}"]


def test_couriers_are_watched_and_their_accounts_chosen(tmp_path: Path) -> None:
    account = "courier: {priority: 2, services: [次日达, 隔日达], cod: true, warehouses: [SH], tracks: all}\n"

    got = config(
        tmp_path,
        "warehouses: [{id: SH}]\ncouriers: {stale_h: 24, track_days: 20, low_balance: 50}\n",
        shop=CHANNEL + account,
    )

    assert got.couriers == CourierPolicy(stale_h=24, track_days=20, low_balance=50)
    assert got.channels[0].courier == AccountPolicy(
        priority=2, services=("次日达", "隔日达"), cod=True, warehouses=("SH",), tracks="all"
    )


def test_an_account_that_fetches_in_a_warehouse_that_there_is_not_is_refused(tmp_path: Path) -> None:
    result = loaded(write(tmp_path, "warehouses: [{id: SH}]\n", shop=CHANNEL + "courier: {warehouses: [SHH]}\n"))

    assert problems(tmp_path, result) == [
        "channels/shop.yaml:4:24: courier.warehouses.0: no warehouse 'SHH' in erpsync.yaml; did you mean 'SH'?"
    ]


def test_an_unknown_courier_is_refused_with_what_may_be_meant(tmp_path: Path) -> None:
    result = loaded(write(tmp_path, shop=CHANNEL + "orders: {couriers: [SF, YTOO]}\n"))

    assert problems(tmp_path, result) == [
        "channels/shop.yaml:4:25: orders.couriers.1: unknown carrier 'YTOO'; did you mean YTO or ZTO or STO?"
    ]


def test_what_does_nothing_is_a_note(tmp_path: Path) -> None:
    main = "warehouses: [{id: SH, desk: true}]\ndefaults: {orders: {partial_min: 50}}\n"

    result = checked(tmp_path, main, shop=CHANNEL + "courier: {priority: 2}\n")

    assert sorted(note.partition(": ")[2].split(": ")[1] for note in notes(tmp_path, result)) == [
        "courier",
        "defaults.orders.partial_min",
        "warehouses.0.desk",
    ]
    assert {note.partition(":")[0] for note in notes(tmp_path, result)} == {"note"}


def test_a_shop_that_waits_for_scans_that_nobody_tells_is_noted(tmp_path: Path) -> None:
    result = checked(tmp_path, "warehouses: [{id: SH}]\n", shop=CHANNEL + "orders: {tell: scan}\n")

    assert [note.partition(": ")[2].split(": ")[1] for note in notes(tmp_path, result)] == ["orders.tell"]


def test_what_has_its_like_elsewhere_is_no_note(tmp_path: Path) -> None:
    main = f"warehouses: [{{id: SH, desk: true, sender: {SENDER}}}]\n"
    main += "defaults: {orders: {partial_min: 50, partial: ready}}\n"
    courier = CHANNEL.replace("id: shop", "id: sf").replace("market", "courier") + "courier: {priority: 2}\n"

    result = checked(tmp_path, main, shop=CHANNEL, sf=courier)

    assert notes(tmp_path, result) == []
