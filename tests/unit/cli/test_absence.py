"""Whether a daemon runs, as `status` tells it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from erpsync.cli.status import absence
from erpsync.store.nodes import Node

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
NEVER = "no daemon has run yet: start it, or ask with --no-daemon where only `run --once` is used"
AHEAD = "no daemon runs: the last sign of life is dated 2026-03-02T04:00:00Z, ahead of the clock"


def daemon(*, heard_s: float, left: bool = False, process: int = 7) -> Node:
    """Return a daemon that gave its last sign of life so many seconds ago."""
    at = NOW - timedelta(seconds=heard_s)
    return Node(
        id=f"host:{process}:ab",
        version="1",
        started_at=NOW - timedelta(days=3),
        heartbeat_at=at,
        left_at=at if left else None,
    )


@pytest.mark.parametrize(
    ("nodes", "process", "said"),
    [
        ([], None, NEVER),
        ([daemon(heard_s=1)], "7", ""),
        ([daemon(heard_s=-7200)], "7", ""),
        ([daemon(heard_s=1)], None, "no daemon runs since 2026-03-02T01:59:59Z: it did not end in order"),
        ([daemon(heard_s=-7200)], None, AHEAD),
        ([daemon(heard_s=3600, left=True)], None, "no daemon runs since 2026-03-02T01:00:00Z: it was stopped"),
        ([], "7", "process 7 holds the database, but no daemon serves: it begins or hangs, or is `run --once`"),
        (
            [daemon(heard_s=60)],
            "7",
            "process 7 holds the database, but no daemon serves since 2026-03-02T01:59:00Z:"
            " it begins or hangs, or is `run --once`",
        ),
        (
            [daemon(heard_s=1, process=77)],
            "7",
            "process 7 holds the database, but no daemon serves since 2026-03-02T01:59:59Z:"
            " it begins or hangs, or is `run --once`",
        ),
    ],
)
def test_on_one_machine_the_lock_of_the_file_decides(nodes: Sequence[Node], process: str | None, said: str) -> None:
    """A heartbeat dated ahead of the clock hides nobody who is dead, and makes nobody dead who lives."""
    assert absence(nodes, NOW, alone=True, process=process) == said


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([], NEVER),
        ([daemon(heard_s=12)], ""),
        ([daemon(heard_s=-12)], ""),
        ([daemon(heard_s=13)], "no daemon runs since 2026-03-02T01:59:47Z: it did not end in order"),
        (
            [daemon(heard_s=1, left=True), daemon(heard_s=900)],
            "no daemon runs since 2026-03-02T01:59:59Z: it was stopped",
        ),
        ([daemon(heard_s=2, left=True), daemon(heard_s=3)], ""),
        ([daemon(heard_s=-7200), daemon(heard_s=60)], AHEAD),
        ([daemon(heard_s=-7200), daemon(heard_s=1)], ""),
    ],
)
def test_of_several_machines_one_that_lives_is_enough(nodes: Sequence[Node], said: str) -> None:
    assert absence(nodes, NOW, alone=False, process=None) == said
