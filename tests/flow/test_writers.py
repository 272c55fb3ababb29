"""Threads that write at once: in turn on SQLite, and nobody inside another's transaction."""

import threading

import pytest

from tests.support.shop import Town


@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_writers_get_their_turn_in_the_order_they_asked(town: Town) -> None:
    """failures.md row 31."""
    order: list[int] = []
    asked = [threading.Event() for _ in range(5)]

    def write(number: int) -> None:
        asked[number].set()
        with town.store.begin():
            order.append(number)

    threads = []
    with town.store.begin():
        for number in range(5):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
            asked[number].wait()
            while len(town.store._writer._waiting) <= number:  # type: ignore[union-attr]
                pass
    for thread in threads:
        thread.join()

    assert order == [0, 1, 2, 3, 4]


@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_second_transaction_in_one_thread_is_told_at_once(town: Town) -> None:
    with town.store.begin(), pytest.raises(RuntimeError, match="open already"), town.store.begin():
        pass
    with town.store.begin():
        pass
