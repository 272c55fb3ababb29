"""A reload changes what differs by value and nothing else."""

from pathlib import Path

from erpsync.settings import Diff, changed_channels
from tests.unit.settings.builders import CHANNEL, MAIN, config


def test_a_configuration_read_again_unchanged_changes_nothing(tmp_path: Path) -> None:
    assert changed_channels(config(tmp_path, shop=CHANNEL), config(tmp_path, shop=CHANNEL)) == Diff()


def test_channels_that_came_went_and_changed_are_named(tmp_path: Path) -> None:
    old = config(tmp_path, a=CHANNEL.replace("shop", "a"), b=CHANNEL.replace("shop", "b"), c=CHANNEL)
    (tmp_path / "channels" / "a.yaml").unlink()
    more = {"c": "# moved\n" + CHANNEL, "d": CHANNEL.replace("shop", "d")}
    new = config(tmp_path, MAIN, None, b=CHANNEL.replace("shop", "b") + "enabled: false", **more)

    assert changed_channels(old, new) == Diff(added=("d",), removed=("a",), changed=("b",))


def test_a_secret_file_with_a_new_value_changes_its_channel(tmp_path: Path) -> None:
    text = CHANNEL.replace("!file secret", "!file token")
    (tmp_path / "token").write_text("old-token")
    old = config(tmp_path, shop=text)
    (tmp_path / "token").write_text("new-token")

    assert changed_channels(old, config(tmp_path, shop=text)) == Diff(changed=("shop",))


def test_a_channel_file_with_another_name_is_the_same_channel(tmp_path: Path) -> None:
    old = config(tmp_path, shop=CHANNEL)
    (tmp_path / "channels" / "shop.yaml").rename(tmp_path / "channels" / "tmall.yaml")

    assert changed_channels(old, config(tmp_path)) == Diff()


def test_a_default_that_changes_reaches_every_channel_that_does_not_override_it(tmp_path: Path) -> None:
    channels = {"a": CHANNEL.replace("shop", "a"), "b": CHANNEL.replace("shop", "b") + "poll: {orders_s: 9}"}
    old = config(tmp_path, MAIN, None, **channels)
    new = config(tmp_path, MAIN + "defaults: {poll: {orders_s: 1}}", None, **channels)

    assert changed_channels(old, new) == Diff(changed=("a",))


def test_what_changed_beside_the_channels_is_named(tmp_path: Path) -> None:
    old, new = config(tmp_path), config(tmp_path, "web: {listen: localhost:1}\ntimezone: UTC")

    assert changed_channels(old, new) == Diff(others=("timezone", "web_host", "web_port", "warehouses"))
