"""Every mistake in a configuration is named by file, line and column, in words that say what to write."""

from pathlib import Path

import pytest

from tests.unit.settings.builders import CHANNEL, MAIN, loaded, notes, problems, write

MAIN_MISTAKES: dict[str, tuple[str | bytes, str]] = {
    "a mistyped key": ("timezon: Asia/Shanghai", "1:1: timezon: unknown key; did you mean 'timezone'?"),
    "a key one level too high": ("listen: 127.0.0.1:1", "1:1: listen: unknown key; it belongs under 'web'"),
    "a key that resembles nothing": (
        "runtime:\n  xyz: 1",
        "2:3: runtime.xyz: unknown key; known are stop_s",
    ),
    "a key that stands twice": (
        "timezone: UTC\nmigrate: auto\ntimezone: UTC",
        "3:1: timezone: key stands twice, on line 1 and on line 3",
    ),
    "a tab as indentation": (
        "runtime:\n\tstop_s: 5",
        "2:1: .: found character that cannot start any token while scanning for the next token "
        "(a tab? indent with spaces; quote text that begins with @, ` or %)",
    ),
    "a full-width colon before deeper keys": (
        "timezone: UTC\nruntime：\n  stop_s: 5",
        "2:8: .: full-width colon U+FF1A: write a plain colon and a blank (or quote the text)",
    ),
    "a full-width colon before a value": (
        "timezone: UTC\nweb:\n  listen：127.0.0.1:1\nmigrate: auto",
        "3:9: web: full-width colon U+FF1A: write a plain colon and a blank (or quote the text)",
    ),
    "a full-width colon alone in a file": (
        "timezone：UTC",
        "1:9: .: full-width colon U+FF1A: write a plain colon and a blank (or quote the text)",
    ),
    "a full-width blank behind a colon": (
        "timezone: UTC\nmigrate:\u3000auto\nweb: {}",
        "2:8: .: full-width or hard blank U+3000: write a plain one (or quote the text)",
    ),
    "a full-width blank as indentation": (
        "runtime:\n\u3000stop_s: 5",
        "2:1: .: full-width or hard blank U+3000: write a plain one (or quote the text)",
    ),
    "a hard blank as indentation": (
        "runtime:\n\xa0\xa0stop_s: 5",
        "2:1: .: full-width or hard blank U+00A0: write a plain one (or quote the text)",
    ),
    "a bracket left open": (
        "web: {listen: 127.0.0.1:1\nmigrate: auto",
        "2:8: .: did not find expected ',' or '}' while parsing a flow mapping",
    ),
    "a reference without quotes inside braces": (
        "runtime: {stop_s: ${STOP}}",
        "1:20: .: did not find expected ',' or '}' while parsing a flow mapping (inside braces, put ${…} in quotes)",
    ),
    "a line end in a key": ('runtime: {"a\\nb": 1}', "1:11: runtime.a\\nb: unknown key; known are stop_s"),
    "a merge key": (
        "a: &a {stop_s: 5}\nruntime:\n  <<: *a",
        "3:3: runtime: merge keys are not YAML 1.2; put shared values under `defaults:`",
    ),
    "a tag that builds objects": (
        "web: !!python/object:os.system {}",
        "1:6: web: tag !!python/object:os.system is not supported here; only !file PATH and !cred NAME are",
    ),
    "an alias without anchor": ("web: *home", "1:6: web: alias *home has no anchor &home before it"),
    "an alias of itself": ("web: &a [*a]", "1:10: web.0: alias *a has no anchor &a before it"),
    "two documents": ("timezone: UTC\n---\nmigrate: auto", "2:1: .: a second document begins here; one per file"),
    "a list instead of keys": ("- timezone", "1:1: .: must be a mapping (key: value)"),
    "a list as key": ("? [a]\n: b", "1:3: .: a key must be plain text"),
    "a word for true": (
        "warehouses: [{id: SH, sellable: yes}]",
        "1:23: warehouses.0.sellable: must be true or false, is 'yes'",
    ),
    "a sexagesimal number": ("runtime: {stop_s: 22:30}", "1:11: runtime.stop_s: must be a number, is '22:30'"),
    "a number with underscores": (
        "warehouses: [{id: SH, safety_stock: 1_000}]",
        "1:23: warehouses.0.safety_stock: must be a whole number, is '1_000'",
    ),
    "half a unit": (
        "warehouses:\n  - id: SH\n    safety_stock: 1.5",
        "3:5: warehouses.0.safety_stock: must be a whole number, is 1.5",
    ),
    "more than a column holds": (
        "warehouses: [{id: SH, safety_stock: 99999999999999999999}]",
        "1:23: warehouses.0.safety_stock: must be at most 1000000000, is 99999999999999999999",
    ),
    "a pause beyond the calendar": (
        "reconcile: {seal_after_s: 1e300}",
        "1:13: reconcile.seal_after_s: must be at most 604800, is 1e+300",
    ),
    "infinite patience": ("runtime: {stop_s: .inf}", "1:11: runtime.stop_s: must be a finite number, is inf"),
    "a warehouse without id": ("warehouses:\n  - priority: 1", "2:5: warehouses.0.id: is missing"),
    "a warehouse id made of a number": (
        "warehouses: [{id: 7}]",
        "1:15: warehouses.0.id: must be text, is 7: put it in quotes",
    ),
    "a warehouse id with a blank": (
        "warehouses: [{id: S H}]",
        "1:15: warehouses.0.id: must match ^[A-Za-z0-9_-]{1,32}$, is 'S H'",
    ),
    "one warehouse twice": (
        "warehouses:\n- {id: SH}\n- {id: SH}",
        "3:4: warehouses.1.id: 'SH' is already the id of the warehouse on line 2",
    ),
    "a time zone that is none": (
        "timezone: Asia/Shangai",
        "1:1: timezone: is no known time zone; did you mean 'Asia/Shanghai'?",
    ),
    "an address without port": (
        "web: {listen: localhost}",
        "1:7: web.listen: must be HOST:PORT, for example 127.0.0.1:8686 or [::1]:8686",
    ),
    "the scheme that other tools write": (
        "database: postgres://u@h/n",
        "1:1: database: must begin with postgresql+psycopg://, begins with postgres: write postgresql+psycopg://…",
    ),
    "a scheme that leaves the driver open": (
        "database: postgresql://u:pw@h/n",
        "1:1: database: must begin with postgresql+psycopg://, begins with postgresql: write postgresql+psycopg://…",
    ),
    "another database": ("database: mysql://h/n", "1:1: database: must begin with sqlite:/// or postgresql+psycopg://"),
    "a database in memory": (
        "database: 'sqlite://'",
        "1:1: database: must name a file, for example sqlite:///var/erpsync.db; elsewhere orders would not survive",
    ),
    "PostgreSQL without keys": (
        "timezone: UTC\ndatabase: postgresql+psycopg://u@h/n",
        "2:1: database: privacy is missing: PostgreSQL needs privacy: {keys: [!cred NAME], index_key: !cred NAME}",
    ),
    "a migration mode that is none": ("migrate: sometimes", "1:1: migrate: must be 'manual' or 'auto', is 'sometimes'"),
    "a default for a warehouse that is not there": (
        f"{MAIN}defaults:\n  stock:\n    warehouses: [SH, GX]",
        "4:22: defaults.stock.warehouses.1: no warehouse 'GX' in erpsync.yaml; known are GZ, QC, SH",
    ),
    "text that is no UTF-8": ("timezone: 上海".encode("gb18030"), "1:11: .: not UTF-8: byte 0xc9"),
    "a control character": ("timezone: UTC\nweb: \x07", "2:6: .: character U+0007 is not allowed in YAML"),
}

CHANNEL_MISTAKES = {
    "an id in capitals": (
        "id: Shop\nconnector: market\nsettings: {app_key: k, app_secret: !file secret}",
        "1:1: id: must match ^[a-z0-9][a-z0-9_-]{0,62}$, is 'Shop'",
    ),
    "the daemon's own name": (
        CHANNEL.replace("id: shop", "id: internal"),
        "1:1: id: is taken by the daemon itself",
    ),
    "a connector that is not installed": (
        "id: shop\nconnector: markt",
        "2:1: connector: no connector 'markt'; did you mean 'market'?",
    ),
    "no id": ("connector: market\nsettings: {app_key: k, app_secret: !file secret}", "1:1: id: is missing"),
    "a poll without pause": (CHANNEL + "poll:\n  orders_s: 0", "5:3: poll.orders_s: must be at least 1, is 0"),
    "more than there is": (CHANNEL + "stock: {ratio: 1.5}", "4:9: stock.ratio: must be at most 1, is 1.5"),
    "nothing of what there is": (CHANNEL + "stock: {ratio: 0}", "4:9: stock.ratio: must be greater than 0, is 0"),
    "numbers without a sequence": (
        CHANNEL + 'orders: {number: "S{yyyymmdd}"}',
        "4:10: orders.number: must hold {seq} or {seq:06}, else two orders get one number",
    ),
    "an unknown placeholder": (
        CHANNEL + 'orders: {number: "S{year}{seq}"}',
        "4:10: orders.number: knows only {yyyymmdd}, {yyyy}, {mm}, {dd}, {channel}, {seq} and {seq:06}",
    ),
    "a blank in order numbers": (
        CHANNEL + 'orders: {number: "S {seq}"}',
        "4:10: orders.number: may hold letters, digits, dots, hyphens and underscores beside its {placeholders}",
    ),
    "a warehouse that is not there": (
        CHANNEL + "stock:\n  warehouses:\n    - SH\n    - BJ",
        "7:7: stock.warehouses.1: no warehouse 'BJ' in erpsync.yaml; known are GZ, QC, SH",
    ),
    "a warehouse twice": (
        CHANNEL + "stock: {warehouses: [SH, SH]}",
        "4:26: stock.warehouses.1: warehouse 'SH' stands twice",
    ),
    "no warehouse at all": (
        CHANNEL + "stock: {warehouses: []}",
        "4:9: stock.warehouses: must have a length of at least 1, has 0",
    ),
    "a connector's key mistyped": (
        "id: shop\nconnector: market\nsettings:\n  app_key: k\n  app_secert: !file secret\n  app_secret: !file secret",
        "5:3: settings.app_secert: unknown key; did you mean 'app_secret'?",
    ),
    "a connector's key missing": (
        "id: shop\nconnector: market\nsettings:\n  app_secret: !file secret",
        "3:1: settings.app_key: is missing",
    ),
    "an app key made of a number": (
        "id: shop\nconnector: market\nsettings:\n  app_key: 12345678\n  app_secret: !file secret",
        "4:3: settings.app_key: must be text, is 12345678: put it in quotes",
    ),
    "neither of two forms": (
        CHANNEL.replace("}", ", signature: standrad}"),
        "3:50: settings.signature: must be 'standard', is 'standrad', or must be a mapping (key: value), is 'standrad'",
    ),
    "the longer form with a mistake in it": (
        CHANNEL.replace("}", ", signature: {header: X, encoding: hexx}}"),
        "3:73: settings.signature.encoding: must be 'hex' or 'base64', is 'hexx'",
    ),
    "a map's key mistyped": (
        CHANNEL.replace("}", ", columns: {pricee: [x]}}"),
        "3:60: settings.columns.pricee: unknown key; did you mean 'price'?",
    ),
}


@pytest.mark.parametrize("mistake", MAIN_MISTAKES)
def test_a_mistake_in_erpsync_yaml_is_named_with_its_place(mistake: str, tmp_path: Path) -> None:
    text, expected = MAIN_MISTAKES[mistake]

    found = problems(tmp_path, loaded(write(tmp_path, text)))

    assert f"erpsync.yaml:{expected}" in found


@pytest.mark.parametrize("mistake", CHANNEL_MISTAKES)
def test_a_mistake_in_a_channel_file_is_the_only_thing_complained_about(mistake: str, tmp_path: Path) -> None:
    text, expected = CHANNEL_MISTAKES[mistake]

    found = problems(tmp_path, loaded(write(tmp_path, shop=text)))

    assert found == [f"channels/shop.yaml:{expected}"]


def test_all_problems_of_all_files_are_shown_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    write(tmp_path, MAIN + "migrate: 1\nweb: 2", a="id: a\nconnector: market\nenabled: 3", b="id: a\npoll: {")

    found = problems(tmp_path, loaded(tmp_path))

    assert found == [
        "erpsync.yaml:2:1: migrate: must be 'manual' or 'auto', is 1",
        "erpsync.yaml:3:1: web: must be a mapping (key: value), is 2",
        "channels/a.yaml:1:1: settings.app_key: is missing",
        "channels/a.yaml:1:1: settings.app_secret: is missing",
        "channels/a.yaml:3:1: enabled: must be true or false, is 3",
        "channels/b.yaml:2:8: .: did not find expected node content while parsing a flow node",
    ]


def test_one_channel_id_in_two_files_is_named_with_both_places(tmp_path: Path) -> None:
    write(tmp_path, a=CHANNEL, b="# a comment\n" + CHANNEL)

    found = problems(tmp_path, loaded(tmp_path))

    assert found == [
        f"channels/b.yaml:2:1: id: 'shop' is already the id of the channel at {tmp_path}/channels/a.yaml:1"
    ]


@pytest.mark.parametrize("where", ["defaults", "each"])
def test_channels_whose_order_numbers_could_meet_are_refused(tmp_path: Path, where: str) -> None:
    """From the first number they share on, no order of the second shop was ever stored."""
    numbered = 'orders: {number: "{channel}{seq}"}\n'
    main = MAIN + (f"defaults:\n  {numbered}" if where == "defaults" else "")
    more = numbered if where == "each" else ""
    write(tmp_path, main, a=CHANNEL + more, b=CHANNEL.replace("id: shop", "id: shop1") + more)

    (found,) = problems(tmp_path, loaded(tmp_path))

    place = "1:1: id" if where == "defaults" else "4:10: orders.number"
    assert found == (
        f"channels/b.yaml:{place}: '{{channel}}{{seq}}' of channel"
        " 'shop1' can make the number shop11, and so can '{channel}{seq}' of 'shop'"
        f" ({tmp_path}/channels/a.yaml); put something in that tells them apart"
    )


def test_a_bomb_of_aliases_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]

    found = problems(tmp_path, loaded(write(tmp_path, "\n".join(lines))))

    assert found == ["erpsync.yaml:6:25: a5.3: more than 100000 values, aliases counted in full"]


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, loaded(write(tmp_path, "web: " + "[" * 50_000)))

    assert found == ["erpsync.yaml:1:46: .: nested deeper than 40 levels"]


def test_anchors_nested_in_anchors_do_not_get_round_the_depth(tmp_path: Path) -> None:
    lines = ["a0: &a0 x", *(f"a{n}: &a{n} {'[' * 30}*a{n - 1}{']' * 30}" for n in range(1, 4))]

    found = problems(tmp_path, loaded(write(tmp_path, "\n".join(lines))))

    assert found == ["erpsync.yaml:3:39: .: nested deeper than 40 levels"]


def test_a_file_of_megabytes_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, loaded(write(tmp_path, "#" * (1 << 21))))

    assert found == ["erpsync.yaml:1:1: .: larger than 1048576 bytes"]


def test_a_mistake_behind_an_alias_is_shown_where_the_text_stands(tmp_path: Path) -> None:
    text = "defaults: {stock: {brake: &b {zero_share: 2}}}\nruntime: *b\n"

    found = problems(tmp_path, loaded(write(tmp_path, text)))

    assert found == [
        "erpsync.yaml:1:31: runtime.zero_share: unknown key; known are stop_s",
        "erpsync.yaml:1:31: defaults.stock.brake.zero_share: must be at most 1, is 2",
    ]


def test_a_missing_folder_is_told_with_the_ways_to_name_one(tmp_path: Path) -> None:
    found = problems(tmp_path, loaded(tmp_path / "nowhere"))

    assert found == ["nowhere/erpsync.yaml:1:1: .: no such file; name the folder with --config PATH or $ERPSYNC_CONFIG"]


def test_a_channel_file_with_another_ending_is_not_passed_over_in_silence(tmp_path: Path) -> None:
    write(tmp_path, other=CHANNEL.replace("id: shop", "id: other"))
    (tmp_path / "channels" / "shop.yml").write_text(CHANNEL)
    (tmp_path / "channels" / ".hidden.yaml").write_text("{")
    (tmp_path / "channels" / "shop.yaml~").write_text("{")

    result = loaded(tmp_path)

    assert [channel.id for channel in result.require().channels] == ["other"]
    assert notes(tmp_path, result) == [
        "warning: channels/shop.yml:1:1: .: is not read: a channel file's name ends in .yaml"
    ]


def test_a_channels_folder_that_cannot_be_read_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    """A reload would let every shop go. As root nothing is unreadable, so a file stands where the folder should."""
    (tmp_path / "erpsync.yaml").write_text(MAIN)
    (tmp_path / "channels").write_text("")

    assert problems(tmp_path, loaded(tmp_path)) == ["channels:1:1: .: cannot be read: not a directory"]


def test_a_channel_file_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    write(tmp_path, shop=CHANNEL)
    (tmp_path / "channels/other.yaml").symlink_to(tmp_path / "moved.yaml")

    assert problems(tmp_path, loaded(tmp_path)) == ["channels/other.yaml:1:1: .: no such file"]


def test_a_configuration_without_channels_is_a_warning(tmp_path: Path) -> None:
    found = notes(tmp_path, loaded(write(tmp_path)))

    assert found == ["warning: channels:1:1: .: no channel: nothing is read or told"]


def test_a_warehouse_that_sells_nothing_is_a_warning_where_a_channel_counts_on_it(tmp_path: Path) -> None:
    result = loaded(write(tmp_path, shop=CHANNEL + "stock: {warehouses: [SH, QC]}"))

    assert result.config is not None
    assert notes(tmp_path, result) == [
        "warning: channels/shop.yaml:4:26: stock.warehouses.1: warehouse 'QC' is not sellable, so it feeds nobody"
    ]


def test_a_configuration_without_warehouses_is_a_warning(tmp_path: Path) -> None:
    result = loaded(write(tmp_path, "timezone: UTC", shop=CHANNEL))

    assert notes(tmp_path, result) == ["warning: erpsync.yaml:1:1: warehouses: no warehouse: nothing can be allocated"]
