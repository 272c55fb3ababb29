"""A stage that is woken runs, never twice at once; whoever wakes it never waits for the next tick."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.runtime.chains import RETRY_S, Chain, Runs
from tests.support.scene import LONG_S


class ByHand:
    """Keeps what was submitted until the test runs it."""

    def __init__(self) -> None:
        self.queue: list[Chain] = []
        self.later: list[tuple[str, float]] = []

    def submit(self, chain: Chain) -> None:
        self.queue.append(chain)

    def wake_in(self, chain: Chain, seconds: float) -> None:
        self.later.append((chain.name, seconds))

    def run_all(self) -> None:
        while self.queue:
            self.queue.pop(0).run()


def chain_of(launcher: ByHand, work: Callable[[], float | None]) -> Chain:
    return Chain("stage", work, launcher=launcher, pool=lambda: "push")


def test_a_woken_chain_is_queued_once_however_often_it_is_woken() -> None:
    launcher = ByHand()
    chain = chain_of(launcher, lambda: None)

    chain.wake()
    chain.wake()

    assert launcher.queue == [chain]
    assert chain.busy


@given(wakes=st.lists(st.integers(0, 3), max_size=20), before=st.integers(1, 3))
def test_after_every_wake_a_run_begins_wherever_the_wake_falls(wakes: list[int], before: int) -> None:
    launcher = ByHand()
    during = iter(wakes)
    clock = [0]
    began: list[int] = []
    woken: list[int] = []

    def wake() -> None:
        clock[0] += 1
        woken.append(clock[0])
        chain.wake()

    def work() -> None:
        clock[0] += 1
        began.append(clock[0])
        for _ in range(next(during, 0)):
            wake()

    chain = chain_of(launcher, work)
    for _ in range(before):
        wake()
    launcher.run_all()

    assert max(began) > max(woken)
    assert not chain.busy


@pytest.mark.concurrent("threads")
def test_thousands_of_wakes_from_eight_threads_leave_no_work_undone() -> None:
    with ThreadPoolExecutor(4) as pool:
        idle = threading.Event()
        todo, done, inside, most = [0], [0], [0], [0]
        lock = threading.Lock()

        class Threads:
            def submit(self, chain: Chain) -> None:
                pool.submit(chain.run)

            def wake_in(self, chain: Chain, seconds: float) -> None:
                raise AssertionError(f"{chain.name} asked for {seconds}")

        def work() -> None:
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                done[0] = todo[0]
            with lock:
                inside[0] -= 1
                if done[0] == 8000:
                    idle.set()

        chain = Chain("stage", work, launcher=Threads(), pool=lambda: "push")

        def enqueue() -> None:
            for _ in range(1000):
                with lock:
                    todo[0] += 1
                chain.wake()

        threads = [threading.Thread(target=enqueue) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert idle.wait(LONG_S)
    assert most == [1]


def test_a_chain_that_has_more_to_do_goes_behind_the_others() -> None:
    launcher = ByHand()
    rests = iter([0.0, None])
    ran: list[str] = []
    first = Chain("first", lambda: (ran.append("first"), next(rests))[1], launcher=launcher, pool=lambda: "push")
    second = Chain("second", lambda: ran.append("second"), launcher=launcher, pool=lambda: "push")

    first.wake()
    second.wake()
    launcher.run_all()

    assert ran == ["first", "second", "first"]


def test_a_chain_that_wants_to_rest_is_woken_later() -> None:
    launcher = ByHand()
    chain = chain_of(launcher, lambda: 2.5)

    chain.wake()
    launcher.run_all()

    assert launcher.later == [("stage", 2.5)]
    assert not chain.busy


def test_a_chain_that_raises_tells_its_thread_and_runs_again_soon() -> None:
    """Row 15: a job is never stuck because its last run died."""
    launcher = ByHand()

    def work() -> None:
        raise ValueError("broken")

    chain = chain_of(launcher, work)
    chain.wake()

    with pytest.raises(ValueError, match="broken"):
        launcher.run_all()
    assert launcher.later == [("stage", RETRY_S)]
    assert not chain.busy


def test_a_closed_chain_begins_no_run() -> None:
    launcher = ByHand()
    ran: list[int] = []
    chain = chain_of(launcher, lambda: ran.append(1))

    chain.wake()
    chain.close()
    launcher.run_all()
    chain.wake()

    assert (ran, launcher.queue) == ([], [])


def test_a_run_that_is_closed_meanwhile_asks_for_nothing_more() -> None:
    launcher = ByHand()
    chain = chain_of(launcher, lambda: (chain.close(), chain.wake(), 0.0)[2])

    chain.wake()
    launcher.run_all()

    assert (launcher.queue, launcher.later, chain.busy) == ([], [], False)


def test_a_run_that_was_submitted_twice_works_once() -> None:
    launcher = ByHand()
    ran: list[int] = []
    chain = chain_of(launcher, lambda: ran.append(1))

    chain.wake()
    chain.run()
    chain.run()

    assert ran == [1]


def test_runs_tell_who_is_under_way_and_who_is_overdue() -> None:
    runs = Runs()
    slow = runs.begin("poll jd orders", deadline_s=-1)
    quick = runs.begin("push jd stock", deadline_s=60)

    assert runs.overdue() == ["poll jd orders"]
    assert runs.names() == ["poll jd orders", "push jd stock"]
    runs.end(slow)
    runs.end(quick)
    assert runs.names() == []
