"""What buyers, JD and the seller's staff do to a shop, outside of the interface.

Source: the life of an order after protocol note jd.md sections 3, 3.2 and 6.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.jd.mapping.values import format_time
from connectors.jd.sandbox.builder import RECEIVER, OrderItem, order_info, yuan
from connectors.jd.sandbox.catalogue import Catalogue
from connectors.jd.sandbox.state import FIRST_ORDER
from erpsync.sdk.sandbox.shop import Record

WAITING = "WAIT_SELLER_STOCK_OUT"
SHIPPED = frozenset({"WAIT_GOODS_RECEIVE_CONFIRM", "FINISHED_L"})
CANCELLED = "TRADE_CANCELED"


class Buyers(Catalogue):
    """Orders, payments, refunds and everything else that happens without us."""

    def place_order(
        self,
        lines: Sequence[tuple[str, int]],
        *,
        pay: bool = False,
        cash: bool = False,
        freight: str = "0.00",
        discount: str = "0.00",
        receiver: Mapping[str, str] = RECEIVER,
        **more: Any,
    ) -> str:
        """Let a buyer order and return the orderId.

        Args:
            lines: seller code or skuId, and units.
            pay: whether it is paid at once; cash on delivery need not be paid.
            more: fields of the order to add or replace, such as `storeOrder`.

        Raises `SoldOut` and changes nothing when the shop shows too few units of anything.
        """
        with self.lock:
            refs = [(self.find_ref(code), units) for code, units in lines]
            self._take(refs)
            order_id = str(FIRST_ORDER + self.next_number())
            state = WAITING if cash else "NOT_PAY"
            items = [self._item(ref, units) for ref, units in refs]
            money = {"freight": freight, "discount": discount}
            now = self.now_text()
            info = order_info(
                order_id=order_id, items=items, created=now, state=state, receiver=receiver, cash=cash, **money
            )
            self.save(self.orders, {**info, **more})
            if pay:
                self.pay(order_id)
            return order_id

    def pay(self, order_id: str) -> None:
        """Let the buyer pay; from now on the order is listed."""
        with self.lock:
            order = self.orders.records[order_id]
            paid = {"paymentConfirmTime": self.now_text(), "actualPay": order["shouldPay"]}
            self.change_order(order, orderState=WAITING, **paid)

    def cancel(self, order_id: str, *, state: str = CANCELLED) -> None:
        """Cancel an order; units that have not left are shown again."""
        with self.lock:
            order = self.orders.records[order_id]
            if order["orderState"] not in SHIPPED:
                self._give_back(order)
            self.change_order(order, orderState=state, orderEndTime=self.now_text())

    def change_order_fields(self, order_id: str, **fields: Any) -> None:
        """Change any fields of an order, for instance `orderState="LOCKED"` or the receiver."""
        with self.lock:
            self.change_order(self.orders.records[order_id], **fields)

    def touch(self, order_id: str, at: datetime) -> None:
        """Change something about an order, stamped `at`."""
        with self.lock:
            order = self.orders.records[order_id]
            remark = f"touched {int(str(order.get('venderRemark') or 'touched 0').split()[-1]) + 1}"
            self.save(self.orders, {**order, "venderRemark": remark, "modified": format_time(at)})

    def confirm_receipt(self, order_id: str) -> None:
        """Let the buyer have the goods."""
        self.change_order_fields(order_id, orderState="FINISHED_L", orderEndTime=self.now_text())

    def split_order(self, order_id: str) -> list[str]:
        """Let JD split an order by its rows: the old one is cancelled, each row becomes an order. Return their ids."""
        with self.lock:
            parent = self.orders.records[order_id]
            children = []
            for row in parent["itemInfoList"]:
                child_id = str(FIRST_ORDER + self.next_number())
                amount = yuan(Decimal(row["jdPrice"]) * int(row["itemTotal"]))
                money = {"orderTotalPrice": amount, "orderSellerPrice": amount, "shouldPay": amount}
                money |= {"actualPay": amount, "sellerDiscount": "0.00", "freightPrice": "0.00"}
                ids = {"orderId": child_id, "parentOrderId": order_id, "directParentOrderId": order_id}
                self.change_order({**parent, **ids, **money, "itemInfoList": [row]})
                children.append(child_id)
            self.change_order(parent, orderState=CANCELLED, orderStateRemark="父单取消")
            return children

    def request_refund(self, order_id: str, *, amount: str = "", **more: Any) -> str:
        """Let the buyer ask for money back before delivery (all of it unless `amount`); return the refund's id."""
        with self.lock:
            order = self.orders.records[order_id]
            refund_id = str(700_000_000 + self.next_number())
            now = self.now_text()
            refund = {
                "id": int(refund_id),
                "orderId": order_id,
                "buyerId": "exampleBuyer",
                "buyerName": "exampleBuyer",
                "applyTime": now,
                "applyRefundSum": int(Decimal(amount or order["actualPay"]) * 100),
                "status": 0,
                "reason": "不想要了",
                "checkTime": "",
                "checkUserName": "",
                "modified": now,
                **more,
            }
            self.save(self.refunds, refund)
            return refund_id

    def grant_refund(self, refund_id: str) -> None:
        """Give the money back; all of it cancels an order that has not left."""
        with self.lock:
            refund = self.refunds.records[refund_id]
            self._decide(refund, 3)
            order = self.orders.records[refund["orderId"]]
            whole = refund["applyRefundSum"] >= int(Decimal(order["actualPay"]) * 100)
            if whole and order["orderState"] not in SHIPPED:
                self.cancel(order["orderId"])

    def close_refund(self, refund_id: str) -> None:
        """Let the seller refuse."""
        with self.lock:
            self._decide(self.refunds.records[refund_id], 2)

    def withdraw_refund(self, refund_id: str) -> None:
        """Let the buyer withdraw, which leaves no check time."""
        with self.lock:
            refund = self.refunds.records[refund_id]
            self.save(self.refunds, {**refund, "status": 11, "modified": self.now_text()})

    def stamp_refund(self, refund_id: str, at: datetime, **changes: Any) -> None:
        """Change a refund as if somebody had checked it at `at`; one that is new is asked for then."""
        with self.lock:
            text = format_time(at)
            self.save(self.refunds, {**self.refunds.records[refund_id], "modified": text, **changes, "checkTime": text})

    def load(self, orders: Sequence[Record]) -> None:
        """Take over many new orders as they are (see `order_info`); their SKUs need not exist."""
        with self.lock:
            self.orders.load(orders)

    def _decide(self, refund: Record, status: int) -> None:
        now = self.now_text()
        self.save(self.refunds, {**refund, "status": status, "checkTime": now, "modified": now})

    def _take(self, refs: Sequence[tuple[str, int]]) -> None:
        for ref, units in self.demand_shown(refs).items():
            self.shift_shown(ref, -units)

    def _give_back(self, order: Record) -> None:
        for row in order["itemInfoList"]:
            if row["skuId"] in self.stock():
                self.shift_shown(row["skuId"], int(row["itemTotal"]))

    def _item(self, ref: str, units: int) -> OrderItem:
        sku = self.skus[ref]
        return OrderItem(sku_id=ref, num=units, price=sku["jdPrice"], code=sku["outerId"], title=sku["skuName"])
