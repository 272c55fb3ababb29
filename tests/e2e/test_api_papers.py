"""Papers through the REST API: a PDF for whoever may operate, once for its key, and never kept."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select

from erpsync.flows.access.tokens import create_token
from erpsync.settings import Config
from erpsync.store.tables import api_request
from tests.support.api import Api
from tests.support.desk import build_desk, states, work
from tests.support.papers import bare, texts
from tests.support.printing import SETTINGS, book, on_record, put_in_wave
from tests.support.web_shop import serve

pytestmark = pytest.mark.concurrent("threads")


@dataclass
class Counter:
    """A desk behind the API, with the number of the release that lies there."""

    api: Api
    number: str

    @property
    def slip(self) -> str:
        """The address that prints its slip."""
        return f"/releases/{self.number}/papers/slip"


@pytest.fixture
def counter(database_url: str, tmp_path: Path) -> Iterator[Counter]:
    town = build_desk(database_url)
    town.shop.place("o1", ("A", 2))
    work(town)
    token = create_token(town.store, "erp", scope="admin", actor="wang")
    config = Config(folder=tmp_path, database="sqlite://", documents=SETTINGS)
    server, site = serve(town.store, town.ctx, config=lambda: config)
    [number] = states(town)
    yield Counter(Api(town, server, token), number)
    server.stop(2)
    site.papers.close()
    town.store.close()


def test_a_slip_is_printed_once_for_its_key_and_its_pages_come_again(counter: Counter) -> None:
    first = counter.api.post(counter.slip, key="k")
    again = counter.api.post(counter.slip, key="k")

    assert (first.status_code, first.headers["content-type"]) == (200, "application/pdf")
    assert (first.headers["print-copy"], first.headers["print-left-out"]) == ("1", "{}")
    assert counter.number in texts(first.content)[0]
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert on_record(counter.api.town) == [("slip", 1, "")]
    with counter.api.town.store.read() as connection:
        [kept] = connection.execute(select(api_request.c.body)).scalars()
    assert json.loads(kept) == {"copies": {counter.number: 1}, "releases": [counter.number], "left_out": {}}


def test_the_same_key_gets_no_other_pages_than_it_had(counter: Counter) -> None:
    counter.api.post(counter.slip, key="k")
    book(counter.api.town, counter.number, "SF1234567890123")

    again = counter.api.post(counter.slip, key="k")

    assert again.status_code == 409
    assert again.json()["detail"].startswith(f"what stands on that paper of {counter.number} has changed since")


def test_a_copy_is_asked_for_and_a_print_is_in_the_trail(counter: Counter) -> None:
    counter.api.post(counter.slip)
    refused = counter.api.post(counter.slip)
    copy = counter.api.post(counter.slip, {"copy": True, "reason": "it was torn"})

    assert (refused.status_code, copy.status_code, copy.headers["print-copy"]) == (409, 200, "2")
    assert bare("补打 2") in texts(copy.content)[0]
    assert [(row["actor"], row["detail"]["copy"]) for row in counter.api.events("release.printed")] == [
        ("api:erp", 1),
        ("api:erp", 2),
    ]


def test_a_wave_comes_as_one_file_and_says_what_is_left_out(counter: Counter) -> None:
    town = counter.api.town
    town.shop.place("o2", ("A", 1))
    work(town)
    one, two = states(town)
    wave = put_in_wave(town, [two, one])
    town.shop.change("o1", state="cancelled")
    town.advance(60)

    pick = counter.api.post(f"/waves/{wave}/papers/pick")
    slips = counter.api.post(f"/waves/{wave}/papers/slip")

    assert (pick.status_code, slips.status_code) == (200, 200)
    assert len(texts(slips.content)) == 1
    assert list(json.loads(slips.headers["print-left-out"])) == [one]


def test_papers_name_people_so_who_may_only_read_gets_none(counter: Counter) -> None:
    answer = counter.api.post(counter.slip, token=counter.api.make_token("read"))

    assert answer.status_code == 403
    assert on_record(counter.api.town) == []


def test_what_is_not_there_is_said(counter: Counter) -> None:
    assert counter.api.post("/releases/R1/papers/slip").status_code == 404
    assert counter.api.post(f"/releases/{counter.number}/papers/pick").status_code == 422
    assert counter.api.post(f"/releases/{counter.number}/papers/label").status_code == 409
