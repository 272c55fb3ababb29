"""Keys can be changed while the shop runs, and a rotation that was cut short goes on where it stopped."""

from collections.abc import Callable

import pytest

from erpsync.flows.operations.rotate_keys import rotate_keys
from erpsync.store.db.privacy import PrivacyError, Vault
from erpsync.store.tables import orders
from tests.support import looking, walk
from tests.support.shop import VAULT, Town

NEW = Vault([b"n" * 32, b"k" * 32], b"i" * 32)
ONLY_NEW = Vault([b"n" * 32], b"i" * 32)


def sealed(town: Town) -> list[bytes]:
    return [value for (value,) in looking.rows(town, orders.select().with_only_columns(orders.c.recipient))]


def test_after_a_rotation_the_old_key_can_be_thrown_away(town: Town) -> None:
    for n in range(5):
        town.shop.place(f"o{n}", ("A", 1))
    walk.read(town)
    assert all(VAULT.is_current(value) for value in sealed(town))
    town.store.vault = NEW

    changed = rotate_keys(town.store)

    assert changed >= 5
    assert all(ONLY_NEW.is_current(value) for value in sealed(town))
    assert rotate_keys(town.store) == 0


def test_a_rotation_that_dies_half_way_goes_on(town: Town, make_town: Callable[..., Town]) -> None:
    for n in range(5):
        town.shop.place(f"o{n}", ("A", 1))
    walk.read(town)
    town.store.vault = NEW

    def die(table: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_keys(town.store, progress=die)
    rotate_keys(town.store)

    assert all(ONLY_NEW.is_current(value) for value in sealed(town))


def test_a_value_moved_to_another_row_does_not_open() -> None:
    value = VAULT.encrypt({"name": "王小明"}, row="orders|1|o1")

    assert VAULT.decrypt(value, row="orders|1|o1") == {"name": "王小明"}
    with pytest.raises(PrivacyError):
        VAULT.decrypt(value, row="orders|1|o2")
    with pytest.raises(PrivacyError, match="not among the configured keys"):
        ONLY_NEW.decrypt(value, row="orders|1|o1")
