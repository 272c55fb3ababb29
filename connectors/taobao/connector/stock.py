"""Stock: absolute numbers, up to 20 SKUs of one item in a call.

Why a refused group is sent again one by one: the platform refuses a call as a whole, and one deleted SKU must not keep
19 others at an old number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.taobao.connector.base import TaobaoBase
from connectors.taobao.mapping import Fields, split_ref
from erpsync.sdk.errors import AuthError, ConnectorError, RateLimitedError, RejectedError
from erpsync.sdk.roles import StockSink
from erpsync.sdk.top import rows_of
from erpsync.sdk.types import StockLevel

SKUS = "taobao.skus.quantity.update"
ITEM = "taobao.item.quantity.update"
SKUS_PER_CALL = 20
ABSOLUTE = "1"

NOT_FOUND = "ITEM_NOT_FOUND"
"""Ends of sub_codes by which the platform says that it knows no such seller code. Source: note section 5.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """One thing to set: `sku_id` is empty for an item without SKUs."""

    key: str
    num_iid: str
    sku_id: str
    qty: int


class TaobaoStock(TaobaoBase, StockSink):
    """Sets the numbers that the shop may sell. Source: protocol note taobao.md section 5."""

    stock_batch = 20
    needs_item_ref = True

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        """Set absolute quantities; return what was not accepted by key.

        A ban or a refused session concerns what is still to be sent; it is raised when nothing was set before.
        A seller code that stands on several items or SKUs is set on all of them.
        """
        errors: dict[str, ConnectorError] = {}
        targets = [target for level in levels for target in self._targets(level, errors)]
        groups = list(_groups(targets))
        for number, group in enumerate(groups):
            try:
                self._set_group(group, errors)
            except (AuthError, RateLimitedError) as error:
                if number == 0:
                    raise
                errors |= {target.key: error for rest in groups[number:] for target in rest}
                break
        return errors

    def _targets(self, level: StockLevel, errors: dict[str, ConnectorError]) -> list[_Target]:
        """Return what a level sets; a level that names nothing the platform knows is an error of its own."""
        try:
            refs = [split_ref(level.item_ref)] if level.item_ref else self._find(level.channel_sku)
        except (AuthError, RateLimitedError):
            raise
        except ConnectorError as error:
            errors[level.key] = error
            return []
        return [_Target(key=level.key, num_iid=item, sku_id=sku, qty=level.qty) for item, sku in refs]

    def _find(self, code: str) -> list[tuple[str, str]]:
        """Return the ids of everything that carries a seller code: SKUs, else items."""
        skus = self._rows("taobao.skus.custom.get", "skus", "sku", fields="sku_id,iid,num_iid,outer_id", outer_id=code)
        ids = [_ids_of(Fields(row, f"$.skus.sku[{index}]")) for index, row in enumerate(skus)]
        if not ids:
            items = self._rows("taobao.items.custom.get", "items", "item", fields="num_iid,outer_id", outer_id=code)
            ids = [(Fields(row, f"$.items.item[{index}]").id("num_iid"), "") for index, row in enumerate(items)]
        if not ids:
            raise RejectedError(f"no item or SKU of the shop carries the seller code {code!r}", code=NOT_FOUND)
        return ids

    def _rows(self, method: str, plural: str, singular: str, **params: str) -> list[Mapping[str, object]]:
        try:
            return rows_of(self.read(method, **params).body, plural, singular)
        except RejectedError as error:
            if not error.code.endswith(NOT_FOUND):
                raise
            return []

    def _set_group(self, group: Sequence[_Target], errors: dict[str, ConnectorError]) -> None:
        """Set one group; note per key what was not accepted. Bans and a refused session are raised."""
        try:
            self._set(group)
        except (AuthError, RateLimitedError):
            raise
        except RejectedError as error:
            if len(group) == 1:
                errors[group[0].key] = error
                return
            for target in group:
                self._set_group([target], errors)
        except ConnectorError as error:
            errors |= {target.key: error for target in group}

    def _set(self, group: Sequence[_Target]) -> None:
        """Send one call; when its answer is lost, the old number must not be trusted any more."""
        num_iid = group[0].num_iid
        params = {"num_iid": num_iid, "type": ABSOLUTE}
        if not group[0].sku_id:
            self.client.call(ITEM, {**params, "quantity": str(group[0].qty)}, repeatable=False)
            return
        pairs = ";".join(f"{target.sku_id}:{target.qty}" for target in group)
        self.client.call(SKUS, {**params, "skuid_quantities": pairs}, repeatable=False)


def _ids_of(sku: Fields) -> tuple[str, str]:
    """Return num_iid and sku_id; this call writes the former into `iid`. Source: note section 5.1."""
    return sku.id_or_none("num_iid") or sku.id("iid"), sku.id("sku_id")


def _groups(targets: Sequence[_Target]) -> Iterator[list[_Target]]:
    """Yield what goes into one call: SKUs of one item, at most 20, none of them twice; or one item without SKUs."""
    by_item: dict[tuple[str, bool], list[_Target]] = {}
    for target in targets:
        by_item.setdefault((target.num_iid, bool(target.sku_id)), []).append(target)
    for same in by_item.values():
        size = SKUS_PER_CALL if same[0].sku_id else 1
        for part in _without_repeats(same):
            for first in range(0, len(part), size):
                yield part[first : first + size]


def _without_repeats(targets: Sequence[_Target]) -> list[list[_Target]]:
    """Split so that no part names one SKU twice; later parts hold the later levels."""
    parts: list[list[_Target]] = []
    for target in targets:
        home = next((part for part in parts if all(other.sku_id != target.sku_id for other in part)), None)
        if home is None:
            parts.append([target])
        else:
            home.append(target)
    return parts
