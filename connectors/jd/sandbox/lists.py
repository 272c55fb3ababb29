"""The calls that list and show orders and refunds, with the platform's own paging.

Source: protocol note jd.md sections 3, 3.1 and 6. No snapshot is kept between two pages. Refunds are sorted by the time
they were asked for, whichever time the window is about: nobody documents it, and that is the worse case.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connectors.jd.mapping.values import parse_time
from connectors.jd.sandbox.buyers import Buyers
from connectors.jd.sandbox.errors import JdError, invalid
from connectors.jd.sandbox.views import order_view
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.sandbox import Fault
from erpsync.sdk.sandbox.shop import Record

Params = Mapping[str, Any]
LONGEST = timedelta(days=31)
MAX_PAGE = 100
OK = {"success": True, "englishErrCode": "", "chineseErrCode": "", "numberCode": 0}
NO_SUCH_ORDER = {"success": False, "englishErrCode": "no such order", "chineseErrCode": "订单不存在", "numberCode": 2}


class Lists(Buyers):
    """Lists and details.

    Args of the platform: `right_end_inside` says whether the right end of a window belongs to it (nobody knows of the
    real one), `cloud` whether calls for plain receivers are let through.
    """

    right_end_inside: bool
    cloud: bool

    def search_orders(self, params: Params, *, encrypted: bool) -> dict[str, Any]:
        """Answer jingdong.pop.order.enSearch and .search."""
        self._demand_cloud(encrypted)
        states, fields = str(params.get("order_state") or ""), str(params.get("optional_fields") or "")
        if not states or not fields or ("ALL" in states and states != "ALL"):
            raise invalid("order_state")
        size, number = _number(params, "page_size", 100), _number(params, "page", MAX_PAGE)
        field = "orderStartTime" if str(params.get("dateType")) == "1" else "modified"
        low, high = _window(params, "start_date", "end_date", LONGEST)
        wanted = frozenset(states.split(","))

        def keep(order: Record) -> bool:
            shown = order["orderState"] != "NOT_PAY" if "ALL" in wanted else order["orderState"] in wanted
            return shown and not self.left_out(str(order["orderId"]))

        orders = list(filter(keep, self.orders.within(field, low, high, end_inside=self.right_end_inside)))
        if str(params.get("sortType")) == "1":
            orders.reverse()
        rows = [order_view(row, fields, encrypted=encrypted) for row in orders[(number - 1) * size : number * size]]
        result = {"apiResult": OK, "orderTotal": len(orders), "orderInfoList": self._doubled(rows)}
        return {"searchorderinfo_result": result}

    def get_order(self, params: Params, *, encrypted: bool) -> dict[str, Any]:
        """Answer jingdong.pop.order.enGet and .get."""
        self._demand_cloud(encrypted)
        order = self.orders.records.get(str(params.get("order_id")))
        if order is None:
            return {"orderDetailInfo": {"apiResult": NO_SUCH_ORDER}}
        view = order_view(order, str(params.get("optional_fields") or ""), encrypted=encrypted)
        return {"orderDetailInfo": {"apiResult": {**OK, "success": "true"}, "orderInfo": view}}

    def list_refunds(self, params: Params) -> dict[str, Any]:
        """Answer jingdong.pop.afs.soa.refundapply.queryPageList."""
        size, number = _number(params, "pageSize", 50), _number(params, "pageIndex", MAX_PAGE)
        field = "checkTime" if params.get("checkTimeStart") else "applyTime"
        low, high = _window(params, f"{field}Start", f"{field}End", LONGEST)
        listed = self.refunds.within(field, low, high, end_inside=self.right_end_inside)
        refunds = sorted(listed, key=lambda row: (row["applyTime"], row["id"]), reverse=True)
        rows = self._doubled([dict(row) for row in refunds[(number - 1) * size : number * size]])
        return {"queryResult": {"success": True, "errorCode": "", "totalCount": len(refunds), "result": rows}}

    def _demand_cloud(self, encrypted: bool) -> None:
        if not encrypted and not self.cloud:
            raise JdError("73")

    def _doubled(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [*rows, rows[0]] if rows and self.faults.strikes(Fault.DUPLICATE) else rows


def _number(params: Params, name: str, most: int) -> int:
    text = str(params.get(name) or "1")
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise invalid(name)
    return int(text)


def _window(params: Params, start: str, end: str, span: timedelta) -> tuple[str, str]:
    """Return the window; its end must be after its start and its length at most `span`."""
    try:
        low, high = (parse_time(params.get(name), path=name) for name in (start, end))
    except PayloadError:
        raise invalid(start) from None
    if not timedelta(0) < high - low <= span:
        raise invalid(end)
    return str(params[start]), str(params[end])
