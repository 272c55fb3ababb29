"""No room on the disk: webhooks are refused, everybody is told so, also for a while after there is room again.

A limit on the pages of an SQLite file gives the very error that a full disk does.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import structlog
from sqlalchemy import event, select

from erpsync.settings.config import StatusLimits
from erpsync.store.db.privacy import Vault
from erpsync.store.status.storage import LOST_FOR, Disk, Storage, measure, room
from erpsync.store.tables import channel
from erpsync.web.site import Site, receive
from tests.support.visitor import visitor
from tests.support.web_shop import open_shop, serve

GOOD = {"x-signature": "right"}
BIG = b"x" * 200_000
NAME = "jd-main"


class Shop:
    """A daemon's web server on a disk that may be filled; its clock stands still."""

    def __init__(self, file: Path) -> None:
        self.file, self.full = file, False
        self.store, ctx = open_shop(f"sqlite:///{file}", names=(NAME,), vault=Vault([b"k" * 32], b"i" * 32))
        self.border = self.store.at_border(5)
        event.listen(self.border.engine, "checkout", self._limit)
        self.ctx = replace(ctx, store=self.border)
        self.browser = visitor(self.store)
        self.server, self.site = serve(
            self.border, self.ctx, receive=receive, keep_s=0, probe_s=0, places=lambda: [("database", file.parent)]
        )

    def _limit(self, connection: Any, record: object, proxy: object) -> None:
        del record, proxy
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages if self.full else 1_000_000_000}")

    def get(self, path: str) -> requests.Response:
        return self.browser.get(f"{self.server.url}{path}", timeout=60)

    def send(self, body: bytes = BIG) -> int:
        return requests.post(f"{self.server.url}hooks/{NAME}", data=body, headers=GOOD, timeout=60).status_code

    def checks(self) -> list[str]:
        return [problem["check"] for problem in self.get("status.json").json()["problems"]]

    def close(self) -> None:
        self.server.stop(2)
        self.border.close()
        self.store.close()


@pytest.fixture
def shop(sqlite_file: Path) -> Iterator[Shop]:
    opened = Shop(sqlite_file)
    yield opened
    opened.close()


def test_webhooks_that_find_no_room_are_refused_and_counted_and_the_log_says_where(shop: Shop) -> None:
    shop.full = True
    with structlog.testing.capture_logs() as logs:
        assert [shop.send() for _ in range(3)] == [503] * 3

    told = [record["error"] for record in logs if record["event"] == "webhook.not_stored"]
    assert told == [f"no space left on the disk of {shop.file.parent}"]  # once, however many there were
    assert "not_stored" in shop.checks()
    metrics = shop.get("metrics").text
    assert f'erpsync_webhooks_not_stored{{channel="{NAME}"}} 3.0' in metrics
    assert "erpsync_status_ok 0.0" in metrics
    assert f"{NAME}: 3 webhooks could not be stored in the last 10 min" in shop.get("").text


def test_what_was_refused_is_told_by_every_process_and_for_ten_minutes(shop: Shop) -> None:
    shop.full = True
    shop.send()
    shop.send()
    shop.full = False
    assert shop.send() == 200
    assert shop.get("readyz").json()["ready"] is True

    other = Site(store=shop.store, ctx=lambda: shop.ctx, limits=StatusLimits, keep_s=0, probe_s=0)
    assert [c["not_stored"] for c in other.look().status["channels"]] == [2]

    shop.store.clock.sleep(LOST_FOR.total_seconds() + 1)
    assert [c["not_stored"] for c in other.look().status["channels"]] == [0]
    with shop.store.read() as connection:
        assert connection.execute(select(channel.c.not_stored)).scalar() == 2


def test_those_of_an_earlier_hour_are_not_counted_again(shop: Shop) -> None:
    for _ in range(2):
        shop.full = True
        shop.send()
        shop.full = False
        shop.get("readyz")
        shop.store.clock.sleep(LOST_FOR.total_seconds() + 1)
    with shop.store.read() as connection:
        assert connection.execute(select(channel.c.not_stored)).scalar() == 1


# -- room on the disks


def test_little_room_is_a_problem_before_there_is_none(shop: Shop) -> None:
    free_mb = measure([("database", shop.file.parent)])[0].free_mb
    assert free_mb is not None

    short = StatusLimits(disk_free_mb=free_mb * 2 + 1)
    shop.site.limits = lambda: short

    [problem] = [each for each in shop.get("status.json").json()["problems"] if each["check"] == "disk"]
    assert f"free in {shop.file.parent}, for database (limit {room(free_mb * 2 + 1)})" in problem["text"]
    assert "erpsync_status_ok 0.0" in shop.get("metrics").text
    assert f'erpsync_disk_free_bytes{{folder="{shop.file.parent}"}} ' in shop.get("metrics").text
    shop.site.limits = lambda: replace(short, disk_free_mb=None)
    assert "disk" not in shop.checks()


def test_a_disk_is_named_once_and_a_folder_still_to_be_made_is_where_it_will_be(tmp_path: Path) -> None:
    [disk] = measure([("database", tmp_path), ("drop", tmp_path / "not" / "yet"), ("drop", tmp_path)])

    assert (disk.folder, disk.serves) == (str(tmp_path), ("database", "drop"))


def test_a_disk_that_does_not_tell_is_a_problem_too() -> None:
    silent = Storage(disks=(Disk(folder="/net/drop", free_mb=None),))

    assert list(silent.problems(500)) == [("disk", "/net/drop does not tell how much room it has")]
    assert list(silent.problems(None)) == []


@pytest.mark.parametrize(("megabytes", "said"), [(0, "0 MB"), (1023, "1023 MB"), (1536, "1.5 GB")])
def test_room_is_said_as_people_say_it(megabytes: int, said: str) -> None:
    assert room(megabytes) == said
