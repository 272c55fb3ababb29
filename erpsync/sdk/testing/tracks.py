"""Checks of what couriers say happened to parcels: nothing lost, nothing twice, in order, the same asked or pushed.

Why keys are compared between the two ways: a parcel that is asked about and pushed would else have each scan twice, and
"delivered" once after "returned".
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.roles import TrackSource, WebhookSource
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.testing.checks import NewHarness, attempt, check, plays, speaks_http
from erpsync.sdk.testing.findings import Finding, fail
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.testing.inspect import inspect
from erpsync.sdk.testing.records import damages, judge_damaged, mutilate
from erpsync.sdk.testing.streams import READ_FAULTS
from erpsync.sdk.types import Raw, TrackedParcel, TrackNode, TrackPage, TrackState

MINUTE = timedelta(minutes=1)
UNKNOWN = "0"


def ask(harness: Harness, source: Any, parcels: Sequence[TrackedParcel]) -> dict[str, TrackPage]:
    """Return what the courier says of parcels, by number."""
    pages = [_page(source, raw) for raw in source.pull_tracks(parcels)]
    strangers = {page.number for page in pages} - {parcel.number for parcel in parcels}
    if strangers:
        fail(Finding.INVENTED_RECORD, f"{min(strangers)}, which nobody asked about")
    del harness
    return {page.number: page for page in pages}


def _page(source: Any, raw: Raw) -> TrackPage:
    page: TrackPage = source.normalise_track(raw)
    inspect(page)
    if page.number != raw.head.external_id:
        fail(Finding.WRONG_NODE, f"the head says {raw.head.external_id}, what is read of it {page.number}")
    keys = [node.key for node in page.nodes]
    if len(set(keys)) != len(keys) or not all(keys):
        fail(Finding.DOUBLED_NODE, f"{len(keys)} nodes with {len(set(keys))} keys")
    if [node.at for node in page.nodes] != sorted(node.at for node in page.nodes):
        fail(Finding.WRONG_NODE, "the nodes are not in the order of their instants")
    if page.bad:
        fail(Finding.LOST_NODE, f"a node without fault could not be read: {page.bad[0].error!r}")
    return page


def _one(harness: Harness, source: Any, parcel: TrackedParcel) -> tuple[TrackNode, ...]:
    pages = ask(harness, source, [parcel])
    if parcel.number not in pages:
        fail(Finding.LOST_NODE, f"nothing is said of {parcel.number}")
    return pages[parcel.number].nodes


def _travel(harness: Harness, parcel: TrackedParcel) -> list[TrackState]:
    """Let a parcel go through all states the courier has, told in the opposite order; return them in theirs."""
    states = [state for state in TrackState if state in harness.track_states]
    begin = harness.clock.now().replace(microsecond=0) - MINUTE * len(states)
    for index, state in reversed(list(enumerate(states))):
        harness.scan(parcel, begin + MINUTE * index, state)
    return states


@check(plays(TrackSource))
def tracks_are_in_the_order_in_which_things_happened(new: NewHarness) -> None:
    """Scans that come late, at their own instants and with their states; read again they are the same."""
    harness = new()
    source: Any = harness.connector()
    parcel = harness.new_track()
    states = _travel(harness, parcel)
    nodes = _one(harness, source, parcel)
    if len(nodes) < len(states):
        fail(Finding.LOST_NODE, f"{len(states)} things happened, {len(nodes)} are told")
    if [node.state for node in nodes] != states:
        fail(Finding.WRONG_NODE, f"{[str(state) for state in states]} is told as {[str(node.state) for node in nodes]}")
    began = harness.clock.now().replace(microsecond=0) - MINUTE * len(states)
    if [node.at for node in nodes] != [began + MINUTE * index for index in range(len(states))]:
        fail(Finding.WRONG_TIME, f"the first scan was at {began}, told is {nodes[0].at}")
    if _keys(_one(harness, harness.connector(), parcel)) != _keys(nodes):
        fail(Finding.DOUBLED_NODE, "read again, the nodes have other keys")


def _keys(nodes: Iterable[TrackNode]) -> set[str]:
    return {node.key for node in nodes}


@check(plays(TrackSource))
def node_that_the_courier_lists_twice_is_one(new: NewHarness) -> None:
    """Lists repeat rows."""
    harness = new()
    source: Any = harness.connector()
    parcel = harness.new_track()
    states = _travel(harness, parcel)
    harness.faults.force(Fault.DUPLICATE, times=12)
    nodes = _one(harness, source, parcel)
    if not harness.faults.struck[Fault.DUPLICATE] and harness.sandbox is not None:
        fail(Finding.NO_HARNESS, f"the sandbox never plays {Fault.DUPLICATE}")
    if len(nodes) != len(states):
        fail(Finding.DOUBLED_NODE, f"{len(states)} things happened, {len(nodes)} are told")


@check(plays(TrackSource))
def code_that_nobody_knows_is_in_transit(new: NewHarness) -> None:
    """Couriers invent codes; none of them delivers a parcel."""
    harness = new()
    source: Any = harness.connector()
    parcel = harness.new_track()
    harness.scan(parcel, harness.clock.now().replace(microsecond=0), None)
    nodes = _one(harness, source, parcel)
    if [node.state for node in nodes] != [TrackState.IN_TRANSIT]:
        fail(Finding.WRONG_NODE, f"a code that nobody knows is told as {[str(node.state) for node in nodes]}")


@check(plays(TrackSource))
def parcels_that_are_asked_about_together_are_told_apart(new: NewHarness) -> None:
    """A full batch, one of it a number that the courier does not know."""
    harness = new()
    source: Any = harness.connector()
    parcels = [harness.new_track() for _ in range(max(1, source.track_batch - 1))]
    at = harness.clock.now().replace(microsecond=0)
    for index, parcel in enumerate(parcels):
        harness.scan(parcel, at - MINUTE * index, TrackState.PICKED_UP)
    stranger = [replace(parcels[0], number=UNKNOWN)] if source.track_batch > 1 else []
    pages = ask(harness, source, [*parcels, *stranger])
    for index, parcel in enumerate(parcels):
        if parcel.number not in pages or not pages[parcel.number].nodes:
            fail(Finding.LOST_NODE, f"asked with {len(parcels) - 1} others, nothing is said of {parcel.number}")
        if pages[parcel.number].nodes[0].at != at - MINUTE * index:
            fail(Finding.WRONG_NODE, f"what is said of {parcel.number} happened to another")


@check(plays(TrackSource), speaks_http)
def question_that_fails_is_no_answer(new: NewHarness) -> None:
    """Failures row 3: no answer is an error, not a parcel to which nothing happened."""
    for kind, wanted in READ_FAULTS.items():
        harness = new()
        source: Any = harness.connector()
        parcel = harness.new_track()
        harness.scan(parcel, harness.clock.now().replace(microsecond=0), TrackState.PICKED_UP)
        harness.faults.force(kind, times=12)
        error = attempt(harness, f"pull_tracks, {kind}", lambda: source.pull_tracks([parcel]))  # noqa: B023
        if error is None:
            fail(Finding.SWALLOWED_ERROR, f"pull_tracks returned in spite of {kind}")
        if not isinstance(error, wanted):
            fail(Finding.WRONG_ERROR_CLASS, f"pull_tracks, {kind}: {error!r}")


def _raw(new: NewHarness) -> tuple[Harness, Any, Raw]:
    """Return the raw record of a parcel to which several things happened."""
    harness = new()
    source: Any = harness.connector()
    parcel = harness.new_track()
    _travel(harness, parcel)
    raws = list(source.pull_tracks([parcel]))
    if len(raws) != 1:
        fail(Finding.LOST_NODE, f"one parcel, {len(raws)} records")
    return harness, source, raws[0]


@check(plays(TrackSource))
def normalise_track_depends_on_its_argument_alone(new: NewHarness) -> None:
    """Same raw record, later, by another object: the same nodes, no call, no trace."""
    harness, source, raw = _raw(new)
    before, requests = copy.deepcopy(raw), harness.requests
    first = source.normalise_track(raw)
    harness.clock.advance(seconds=86_400)
    if harness.connector().normalise_track(raw) != first:  # type: ignore[attr-defined]
        fail(Finding.NOT_PURE, "two readings of one record differ")
    if harness.requests != requests or raw != before:
        fail(Finding.NOT_PURE, "normalise_track calls the platform, or changed its argument")


@check(plays(TrackSource))
def mutilated_track_names_the_field(new: NewHarness) -> None:
    """Every field missing, empty, of another kind: read all the same, or PayloadError that names it."""
    harness, source, raw = _raw(new)
    mutilate(harness, raw, source.normalise_track, "track")


@check(plays(TrackSource))
def node_that_cannot_be_read_costs_no_other(new: NewHarness) -> None:
    """One scan mutilated in each way: the others are told, and what is wrong with it stands beside."""
    harness, source, raw = _raw(new)
    whole = _keys(source.normalise_track(raw).nodes)
    for place, damaged, where in damages(raw):
        if not any(isinstance(step, int) for step in place.steps):
            continue
        try:
            kept = _keys(source.normalise_track(damaged).nodes)
        except PayloadError as error:
            fail(Finding.LOST_NODE, f"{where}: {error!r}")
        if len(whole & kept) < len(whole) - 1:
            fail(Finding.LOST_NODE, f"{where}: {len(whole & kept)} of {len(whole)} are told")
        judge_damaged(harness, damaged, source.normalise_track, place, where)


@check(plays(TrackSource), plays(WebhookSource))
def pushed_and_asked_are_the_same(new: NewHarness) -> None:
    """Two pushes that overtake one another, one of them twice, tell what asking tells, by the same keys."""
    harness = new()
    connector: Any = harness.connector()
    parcel = harness.new_track()
    deliveries = []
    begin = harness.clock.now().replace(microsecond=0)
    for index, state in enumerate((TrackState.PICKED_UP, TrackState.IN_TRANSIT)):
        harness.scan(parcel, begin + MINUTE * index, state)
        deliveries.append(harness.track_push(parcel))
    told: dict[str, TrackNode] = {}
    for delivery in (deliveries[1], deliveries[0], deliveries[1]):
        records = connector.read_webhook(delivery).records
        if [record.raw.head.external_id for record in records if record.kind == "track"] != [parcel.number]:
            fail(Finding.UNREAD_WEBHOOK, f"a push about {parcel.number} has no record of it")
        told |= {node.key: node for node in _page(connector, records[0].raw).nodes}
    asked = {node.key: node for node in _one(harness, connector, parcel)}
    if set(told) != set(asked):
        fail(
            Finding.DOUBLED_NODE, f"asked and pushed have {len(set(told) & set(asked))} of {len(asked)} keys in common"
        )
    if any((told[key].state, told[key].at) != (asked[key].state, asked[key].at) for key in asked):
        fail(Finding.WRONG_NODE, "asked and pushed differ in what happened")


@check(plays(TrackSource))
def watching_twice_is_allowed(new: NewHarness) -> None:
    """Whether pushes come is said, and asking for them again changes nothing."""
    harness = new()
    source: Any = harness.connector()
    parcel = harness.new_track()
    if source.watch_track(parcel) is not (again := source.watch_track(parcel)) or again not in (True, False):
        fail(Finding.EFFECT_CLAIMED, f"watch_track, asked twice, ends with {again!r}")
