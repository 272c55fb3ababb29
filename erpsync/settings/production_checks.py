"""What no single value can tell about production: warehouses that are not there, or are no place for that.

Why no place of it may have a channel: another system keeps the books of such a warehouse, and what is used or made
here would be missing there.
"""

from collections.abc import Iterator

from erpsync.settings.checks import ReadMain
from erpsync.settings.hints import did_you_mean, one_of
from erpsync.settings.problems import Path
from erpsync.settings.production import Production
from erpsync.settings.warehouses import Warehouse


def check_production(main: ReadMain) -> None:
    """Note what is wrong between `production` and the warehouses of erpsync.yaml."""
    production = main.model.production if main.model is not None else None
    if main.model is None or production is None:
        return
    places = {place.id: place for place in main.model.warehouses}
    taken: dict[str, Path] = {}
    for path, id in _named(production):
        problem = _problem(places, path, id)
        if not problem and id in taken:
            problem = f"warehouse '{id}' stands under places.{taken[id][2]} already"
        if problem:
            main.add(path, problem)
        taken.setdefault(id, path)


def _named(production: Production) -> Iterator[tuple[Path, str]]:
    for n, id in enumerate(production.places.components):
        yield ("production", "places", "components", n), id
    yield ("production", "places", "wip"), production.places.wip
    yield ("production", "places", "out"), production.places.out


def _problem(places: dict[str, Warehouse], path: Path, id: str) -> str:
    place = places.get(id)
    if place is None:
        hint = did_you_mean(id, places) or (f"; known are {one_of(places)}" if places else "")
        return f"no warehouse '{id}' in erpsync.yaml{hint}"
    if place.channel is not None:
        return f"warehouse '{id}' has a channel: its system keeps its books, so nothing is made there"
    if path[2] == "wip" and place.sellable:
        return f"warehouse '{id}' may be sold from; what is worked on lies where `sellable` is false"
    if path[2] == "out" and not (place.desk and place.sellable):
        return (
            f"warehouse '{id}' sends no parcels: finished units go to a warehouse with `desk: true` that is sold from"
        )
    return ""
