"""Stock: absolute numbers by skuId, many in a call or one by one.

Why a refused call is sent again one by one: the platform may refuse a call as a whole, and one deleted SKU must not
keep the others at an old number. Why every line of the answer is read: the call as a whole succeeds although lines
fail.

Source: protocol note jd.md section 5.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.jd.client import SERVICES, Answer, demand_success, error_of, first, rows_of, truth
from connectors.jd.client.answers import CODE_NAMES, TEXT_NAMES
from connectors.jd.connector.base import JdBase
from connectors.jd.mapping import format_time, sku_number
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import AuthError, ConnectorError, OutcomeUnknownError, RateLimitedError, RejectedError
from erpsync.sdk.roles import StockSink
from erpsync.sdk.types import StockLevel

BATCH = "jingdong.ware.stock.sku.set"
SINGLE = "jingdong.stock.write.updateSkuStock"
SKUS_PER_CALL = 20
"""The platform's limit is not documented; 20 is what the daemon gives at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """One SKU to set."""

    key: str
    sku_id: int
    qty: int


class JdStock(JdBase, StockSink):
    """Sets the numbers that the shop may sell."""

    stock_batch = SKUS_PER_CALL
    needs_item_ref = True

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        """Set absolute quantities; return what was not accepted by key.

        A call limit or a refused token concerns what is still to be sent; it is raised when nothing was set before.
        """
        errors: dict[str, ConnectorError] = {}
        groups = list(_groups(_targets(levels, errors), self._per_call()))
        for number, group in enumerate(groups):
            try:
                self._set_group(group, errors)
            except (AuthError, RateLimitedError) as error:
                if number == 0:
                    raise
                errors |= {target.key: error for rest in groups[number:] for target in rest}
                break
        return errors

    def _per_call(self) -> int:
        return 1 if self.settings.stock_method == "single" else SKUS_PER_CALL

    def _set_group(self, group: Sequence[_Target], errors: dict[str, ConnectorError]) -> None:
        """Set one group; note per key what was not accepted. Call limits and a refused token are raised."""
        try:
            errors |= self._set(group)
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

    def _set(self, group: Sequence[_Target]) -> dict[str, ConnectorError]:
        """Send one call and return the lines it refused; when its answer is lost, no old number can be trusted."""
        if self.settings.stock_method == "batch":
            return _refusals(self.client.call(BATCH, {"req": self._request(group)}, repeatable=False), group)
        params = {"skuId": group[0].sku_id, "stockNum": group[0].qty, "storeId": self.settings.stock_store_id}
        answer = self.client.call(SINGLE, params, repeatable=False)
        demand_success(answer.body, SINGLE, repeatable=False)
        return {}

    def _request(self, group: Sequence[_Target]) -> dict[str, object]:
        settings = self.settings
        rows = [
            {
                "skuId": target.sku_id,
                "storeId": settings.stock_store_id,
                "stockModel": settings.stock_model,
                "stockNum": target.qty,
            }
            for target in group
        ]
        number = f"{format_time(self.clock.now())}-{digest_of({'rows': rows})[:12]}"
        wanted = "".join(char for char in number if char.isalnum())
        return {"updateModel": settings.stock_update_model, "stockRfId": wanted, "skuStocks": rows}


def _targets(levels: Sequence[StockLevel], errors: dict[str, ConnectorError]) -> list[_Target]:
    """Return what the levels set; a level whose reference is no skuId is an error of its own."""
    targets: list[_Target] = []
    for level in levels:
        try:
            targets.append(_Target(key=level.key, sku_id=sku_number(level.item_ref), qty=level.qty))
        except RejectedError as error:
            errors[level.key] = error
    return targets


def _groups(targets: Sequence[_Target], size: int) -> Iterator[list[_Target]]:
    """Yield what goes into one call: at most `size`, and no SKU twice; later groups hold the later levels."""
    group: list[_Target] = []
    for target in targets:
        if len(group) == size or any(other.sku_id == target.sku_id for other in group):
            yield group
            group = []
        group.append(target)
    if group:
        yield group


def _refusals(answer: Answer, group: Sequence[_Target]) -> dict[str, ConnectorError]:
    """Return what the answer says of each line: refused, or nothing at all.

    Raises `ConnectorError` when it speaks of no line and the call as a whole failed.
    """
    result = answer.body.get("returnType")
    if not isinstance(result, dict):
        raise OutcomeUnknownError("the answer to a stock call holds no returnType")
    inner = result.get("obj")
    rows = rows_of(inner if isinstance(inner, dict) else {}, "updateStockResult", path="$.returnType.obj")
    if not rows:
        demand_success(result, BATCH, repeatable=False)
    by_sku = {str(row.get("data")): row for row in rows}
    told = {target.key: _refusal(by_sku.get(str(target.sku_id))) for target in group}
    return {key: error for key, error in told.items() if error is not None}


def _refusal(row: Mapping[str, object] | None) -> ConnectorError | None:
    success = None if row is None else truth(row.get("success"))
    if success:
        return None
    if row is None or success is None:
        return OutcomeUnknownError("the answer to a stock call does not speak of this SKU")
    return error_of(first(row, CODE_NAMES), first(row, TEXT_NAMES), repeatable=False, table=SERVICES)
