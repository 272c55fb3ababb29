"""The shipping desk over HTTP: waves, scans and stops, with a token that may do nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from erpsync.flows.access.tokens import create_token
from erpsync.store.tables import wave
from erpsync.web.api import examples
from tests.support.api import Api
from tests.support.desk import build_desk, work
from tests.support.web_shop import serve

PACKS = {
    "/api/v1/releases/{number}/papers/{paper}",
    "/api/v1/waves/{number}/papers/{paper}",
    "/api/v1/releases/{number}/stop",
    "/api/v1/scans",
    "/api/v1/waves",
    "/api/v1/waves/{number}/done",
    "/api/v1/waves/{number}/drop",
}


pytestmark = pytest.mark.parametrize("dialect", ["sqlite"])


@pytest.fixture
def api(database_url: str) -> Iterator[Api]:
    """The API of a town with a desk that has got o1 and o2, one of A each; calls are made as a packer."""
    town = build_desk(database_url)
    for order in ("o1", "o2"):
        town.shop.place(order, ("A", 1))
    work(town)
    server, _ = serve(town.store, town.ctx)
    yield Api(town, server, create_token(town.store, "packer", scope="pack", actor="wang"))
    server.stop(2)
    town.store.close()


def make(api: Api, **wanted: Any) -> dict[str, Any]:
    answer = api.post("/waves", {"warehouse": "SH", **wanted})
    assert answer.status_code == 201
    made: dict[str, Any] = answer.json()
    return made


def test_a_packer_makes_a_wave_scans_its_parcels_and_it_is_done(api: Api) -> None:
    made = make(api)
    with api.town.store.begin() as tx:
        tx.execute(wave.update().values(state="printed", printed_at=tx.now))
    numbers = [each["number"] for each in made["members"]]
    left = [
        api.post("/scans", {"code": number, "leave": True, "carrier": "SF", "tracking": f"SF10010{slot}"}).json()
        for slot, number in enumerate(numbers)
    ]

    assert (made["state"], made["states"], made["actor"]) == ("open", {"told": 2}, "api:packer")
    assert [(each["left"]["wave"], each["left"]["wave_left"]) for each in left] == [
        (made["number"], 1),
        (made["number"], 0),
    ]
    assert (left[0]["why"], left[0]["may"]) == ("left", [])
    assert api.get(f"/waves/{made['number']}").json()["state"] == "done"
    assert api.get("/releases", state="shipped").json()["items"][0]["tracking"] == ["SF100101"]


def test_a_scan_that_is_sent_again_with_its_key_is_not_a_second_one(api: Api) -> None:
    [number, _] = [each["number"] for each in api.get("/releases").json()["items"]]
    scan = {"code": number, "leave": True, "carrier": "SF", "tracking": "SF100100"}
    first = api.post("/scans", scan, key="scan-1")
    again = api.post("/scans", scan, key="scan-1")
    second = api.post("/scans", scan, key="scan-2")

    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    assert second.status_code == 409
    assert second.json()["detail"] == (
        f"release {number} has left already, with SF100100; a second label of it must not leave"
    )


def test_a_scanned_code_is_looked_up_without_anything_leaving(api: Api) -> None:
    number = api.get("/releases", unpicked=True).json()["items"][0]["number"]
    seen = api.post("/scans", {"code": number}).json()

    assert (seen["kind"], seen["number"], seen["may"], seen["left"]) == ("release", number, ["leave", "stop"], None)
    assert seen["shown"] == api.get(f"/releases/{number}").json()
    assert api.post("/scans", {"code": "nothing of ours"}).json()["kind"] == "unknown"


def test_a_release_is_stopped_and_a_wave_dropped(api: Api) -> None:
    made = make(api, most=1)
    number = made["members"][0]["number"]

    assert api.post(f"/waves/{made['number']}/done").json()["detail"].endswith("is not printed; drop it instead")
    assert api.post(f"/waves/{made['number']}/drop").json()["state"] == "dropped"
    assert api.post(f"/releases/{number}/stop", {"reason": "broken"}).json()["state"] == "stopped"
    assert api.post(f"/releases/{number}/stop", {}).status_code == 409
    assert api.post("/waves", {"warehouse": "HZ"}).json()["detail"] == "warehouse HZ has no desk; there is one in SH"
    assert (api.get("/waves", state="open").json()["items"], api.get("/releases/R1").status_code) == ([], 404)
    assert [each["number"] for each in api.get("/waves").json()["items"]] == [made["number"]]


def test_lists_of_releases_and_waves_come_in_pages(api: Api) -> None:
    for _ in range(2):
        make(api, most=1)
    for path in ("/releases", "/waves"):
        first = api.get(path, limit=1, warehouse="SH").json()
        second = api.get(path, limit=1, after=first["next"]).json()
        assert [each["number"] for each in first["items"] + second["items"]] == [
            each["number"] for each in api.get(path).json()["items"]
        ]
        assert second["next"] is None


def test_the_examples_have_the_keys_of_real_answers(api: Api) -> None:
    made = make(api, most=1)
    pairs = [
        (api.get("/releases").json()["items"][0], examples.RELEASE),
        (api.get("/waves").json()["items"][0], examples.WAVE_LISTED),
        (made, examples.WAVE),
        (made["members"][0]["lines"][0], examples.WAVE["members"][0]["lines"][0]),
        (api.post("/scans", {"code": made["members"][0]["number"]}).json(), examples.SCANNED),
    ]

    assert [list(real) for real, _ in pairs] == [list(example) for _, example in pairs]


def test_a_token_for_packing_changes_nothing_but_at_the_desk(api: Api) -> None:
    document = requests.get(f"{api.server.url}api/v1/openapi.json", timeout=30).json()
    changes = [(method, path) for path, methods in document["paths"].items() for method in methods if method != "get"]
    allowed = set()
    for method, path in changes:
        answer = requests.request(
            method,
            f"{api.server.url.rstrip('/')}{path if path.startswith('/api') else '/api/v1' + path}",
            json={},
            headers={"Authorization": f"Bearer {api.token}", "Idempotency-Key": f"{method} {path}"},
            timeout=30,
        )
        if answer.status_code != 403:
            allowed.add(path if path.startswith("/api") else "/api/v1" + path)

    assert allowed == PACKS
    reader = create_token(api.town.store, "reader", scope="read", actor="wang")
    assert api.post("/waves", {"warehouse": "SH"}, token=reader).status_code == 403
    assert api.get("/releases", token=reader).status_code == 200
