"""The calls that list and show trades and refunds, with the platform's own paging.

Source: protocol note taobao.md sections 3.2 to 3.5 and 6. Lists are sorted by time, newest first; both ends of a window
belong to it; no snapshot is kept between two pages. Refunds are sorted by when they were asked for, although the window
is about their change: nobody documents it, and that is the worse case.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from connectors.taobao.mapping.values import parse_time
from connectors.taobao.sandbox.buyers import Buyers
from connectors.taobao.sandbox.errors import TopError, invalid, missing
from connectors.taobao.sandbox.slices import Slice, slice_of
from connectors.taobao.sandbox.views import picked, trade_view
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.sandbox.shop import Record

DEFAULT_TYPES = "guarantee_trade,auto_delivery,ec,cod,step"
GUARANTEE = frozenset({"fixed", "auction"})
"""`guarantee_trade` is a filter only: it stands for these two types."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "ALL_WAIT_PAY": ("WAIT_BUYER_PAY", "TRADE_NO_CREATE_PAY"),
    "ALL_CLOSED": ("TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO"),
}


class Lists(Buyers):
    """Lists and details."""

    def trades_sold_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.trades.sold.get."""
        return self._trades(params, "created", timedelta(days=92), required=False)

    def trades_sold_increment_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.trades.sold.increment.get."""
        return self._trades(params, "modified", timedelta(days=1), required=True)

    def trade_fullinfo_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.trade.fullinfo.get."""
        tid = params.get("tid") or ""
        if not tid:
            raise missing("tid")
        trade = self.trades.records.get(tid)
        if trade is None:
            raise TopError(15, "isv.trade-not-exist", "the trade does not exist")
        oaid = params.get("include_oaid") == "true"
        return {"trade": trade_view(trade, _fields(params), detail=True, oaid=oaid)}

    def refunds_receive_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.refunds.receive.get."""
        bounds = _bounds(params, "modified", timedelta(days=92), required=False)
        keep = _keeps(params.get("status"), "status")
        refunds = filter(keep, self.refunds.within("modified", *bounds))
        newest = sorted(refunds, key=lambda refund: (refund["created"], str(refund["refund_id"])), reverse=True)
        page = _page(newest, params)
        return self._listed("refunds", "refund", [picked(row, _fields(params)) for row in page.rows], page)

    def _trades(self, params: Mapping[str, str], time_field: str, span: timedelta, *, required: bool) -> dict[str, Any]:
        bounds = _bounds(params, time_field, span, required=required)
        types = _types(params.get("type") or DEFAULT_TYPES)
        of_status = _keeps(params.get("status"), "status")
        trades = (
            trade
            for trade in self.trades.within(time_field, *bounds, newest_first=True)
            if trade["type"] in types and of_status(trade) and not self.left_out(str(trade["tid"]))
        )
        page = _page(trades, params)
        fields = _fields(params)
        return self._listed("trades", "trade", [trade_view(row, fields, detail=False) for row in page.rows], page)

    def _listed(self, plural: str, singular: str, rows: list[dict[str, Any]], page: Slice) -> dict[str, Any]:
        if rows and self.faults.strikes(Fault.DUPLICATE):
            rows = [*rows, rows[0]]
        answer: dict[str, Any] = {"has_next": page.has_next} if page.total is None else {"total_results": page.total}
        return {**answer, **({plural: {singular: rows}} if rows else {})}


def _page(records: Iterable[Record], params: Mapping[str, str]) -> Slice:
    """Return the page that is asked for."""
    number, size = _number(params, "page_no", 1), _number(params, "page_size", 40)
    if not 1 <= size <= 100:
        raise invalid("page_size")
    if number < 1:
        raise invalid("page_no")
    return slice_of(records, number=number, size=size, count=params.get("use_has_next") != "true")


def _fields(params: Mapping[str, str]) -> str:
    fields = params.get("fields")
    if not fields:
        raise missing("fields")
    return fields


def _number(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name) or str(default)
    if not text.isdigit():
        raise invalid(name)
    return int(text)


def _bounds(params: Mapping[str, str], name: str, span: timedelta, *, required: bool) -> tuple[str, str]:
    """Return the window; its end must be after its start and its length at most `span`."""
    start, end = params.get(f"start_{name}", ""), params.get(f"end_{name}", "")
    if required and not (start and end):
        raise missing(f"start_{name}")
    try:
        low = parse_time(start, path="start") if start else None
        high = parse_time(end, path="end") if end else None
    except PayloadError:
        raise invalid(f"start_{name}") from None
    if low is not None and high is not None and not timedelta(0) < high - low <= span:
        raise invalid(f"end_{name}")
    return start, end or "9999"


def _types(text: str) -> frozenset[str]:
    types = frozenset(text.split(","))
    return types | GUARANTEE if "guarantee_trade" in types else types


def _keeps(value: str | None, field: str) -> Callable[[Record], bool]:
    if not value:
        return lambda record: True
    wanted = GROUPS.get(value, (value,))
    return lambda record: record[field] in wanted
