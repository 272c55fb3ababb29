"""What buyers and the seller's staff do in a shop, outside of the interface.

Source: the life of an order after protocol note taobao.md sections 3.6, 3.8 and 6.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.taobao.mapping.values import format_time
from connectors.taobao.sandbox.builder import RECEIVER, TradeLine, trade_of, yuan
from connectors.taobao.sandbox.catalogue import Catalogue
from connectors.taobao.sandbox.state import FIRST_TID
from erpsync.sdk.sandbox.shop import Record

CLOSED = ("TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO")
SHIPPED = ("WAIT_BUYER_CONFIRM_GOODS", "TRADE_BUYER_SIGNED", "TRADE_FINISHED")
DEPOSIT = "FRONT_PAID_FINAL_NOPAID"
ALL_PAID = "FRONT_PAID_FINAL_PAID"


class Buyers(Catalogue):
    """Orders, payments, refunds and everything else that happens without us."""

    def place_order(
        self,
        lines: Sequence[tuple[str, int]],
        *,
        pay: bool = False,
        type: str = "fixed",
        post_fee: str = "0.00",
        discount: str = "0.00",
        receiver: Mapping[str, str] = RECEIVER,
        buyer: str = "小明同学",
        message: str = "",
        **more: Any,
    ) -> str:
        """Let a buyer order and return the tid.

        Args:
            lines: seller code or `NUM_IID[:SKU_ID]`, and units.
            pay: whether it is paid at once.
            type: `cod` need not be paid, `step` is paid twice.
            more: fields of the trade to add or replace.

        Raises `SoldOut` and changes nothing when the shop shows too few units of anything.
        """
        with self.lock:
            refs = [(self.find_ref(code), units) for code, units in lines]
            self.demand_shown(refs)
            trade_lines = [self._line(ref, units) for ref, units in refs]
            now = self.now_text()
            if type == "step":
                more = {"step_trade_status": "FRONT_NOPAID_FINAL_NOPAID", **more}
            trade = trade_of(
                tid=FIRST_TID + self.next_number() * 10_000,
                lines=trade_lines,
                created=now,
                status="WAIT_SELLER_SEND_GOODS" if type == "cod" else "WAIT_BUYER_PAY",
                type=type,
                post_fee=post_fee,
                discount=discount,
                receiver=receiver,
                buyer_nick=buyer,
                message=message,
                **more,
            )
            self._shift(trade, -1, at_payment=False)
            if type == "cod":
                self._shift(trade, -1, at_payment=True)
            self.save(self.trades, trade)
            self.notify_trade("TradeCreate", trade)
            tid = str(trade["tid"])
            if pay:
                self.pay(tid)
            return tid

    def pay(self, tid: str) -> None:
        """Let the buyer pay; the first payment of a pre-sale is its deposit.

        Raises `SoldOut` when units leave the shop at payment and too few are left.
        """
        with self.lock:
            trade = self.trades.records[tid]
            if trade.get("step_trade_status") == "FRONT_NOPAID_FINAL_NOPAID":
                deposit = yuan(Decimal(trade["payment"]) / 5)
                trade = self.change_trade(trade, step_trade_status=DEPOSIT, step_paid_fee=deposit)
                self.notify_trade("TradeBuyerStepPay", trade)
                return
            self._shift(trade, -1, at_payment=True)
            more = {"step_trade_status": ALL_PAID} if trade.get("step_trade_status") else {}
            trade = self._with_status(trade, "WAIT_SELLER_SEND_GOODS", pay_time=self.now_text(), **more)
            self.notify_trade("TradeBuyerPay", trade)

    def close_trade(self, tid: str) -> None:
        """Let an unpaid trade close; the units go back to the number shown."""
        with self.lock:
            trade = self.trades.records[tid]
            if trade["status"] != "WAIT_BUYER_PAY":
                raise ValueError(f"{tid} is not waiting for payment")
            self._shift(trade, +1, at_payment=False)
            self.notify_trade("TradeClose", self._with_status(trade, "TRADE_CLOSED_BY_TAOBAO"))

    def change_address(self, tid: str, **receiver: str) -> None:
        """Let the buyer change fields of the receiver; the oaid changes with them."""
        with self.lock:
            trade = self.change_trade(self.trades.records[tid], **receiver)
            self.notify_trade("TradeLogisticsAddressChanged", trade)

    def change_trade_fields(self, tid: str, **fields: Any) -> None:
        """Change any fields of a trade, for instance `top_hold=1`."""
        with self.lock:
            self.notify_trade("TradeChanged", self.change_trade(self.trades.records[tid], **fields))

    def touch(self, tid: str, at: datetime) -> None:
        """Change something about a trade, stamped `at`."""
        with self.lock:
            trade = self.trades.records[tid]
            flag = (int(trade.get("seller_flag", 0)) + 1) % 6
            self.save(self.trades, {**trade, "seller_flag": flag, "modified": format_time(at)})

    def confirm_receipt(self, tid: str) -> None:
        """Let the buyer confirm that the goods arrived."""
        with self.lock:
            trade = self.trades.records[tid]
            trade = self._with_status(trade, "TRADE_FINISHED", end_time=self.now_text())
            self.notify_trade("TradeSuccess", trade)

    def request_refund(self, tid: str, oid: str = "", *, amount: str = "", num: int = 0, **more: Any) -> str:
        """Let the buyer ask for money back for one sub-order (the first one left) and return the refund_id."""
        with self.lock:
            trade = self.trades.records[tid]
            order = next(
                row
                for row in trade["orders"]["order"]
                if (str(row["oid"]) == oid or not oid) and row["status"] not in CLOSED
            )
            refund_id = str(130_000_000_000_000_000 + self.next_number())
            fee = yuan(amount or order["divide_order_fee"])
            now = self.now_text()
            refund = {
                "refund_id": refund_id,
                "tid": trade["tid"],
                "oid": order["oid"],
                "status": "WAIT_SELLER_AGREE",
                "order_status": order["status"],
                "good_status": "BUYER_RECEIVED" if order["status"] in SHIPPED else "BUYER_NOT_RECEIVED",
                "has_good_return": False,
                "refund_phase": "onsale",
                "dispute_type": "REFUND",
                "total_fee": trade["payment"],
                "refund_fee": fee,
                "payment": yuan(Decimal(trade["payment"]) - Decimal(fee)),
                "reason": "不想要了",
                "num": num or order["num"],
                "num_iid": order["num_iid"],
                "outer_id": order.get("outer_iid", ""),
                "title": order["title"],
                "created": now,
                "modified": now,
                **more,
            }
            self.save(self.refunds, refund)
            self._after_refund(refund, "RefundCreated", refund_status="WAIT_SELLER_AGREE", refund_id=refund_id)
            return refund_id

    def grant_refund(self, refund_id: str) -> None:
        """Give the money back. A sub-order of which all is given back closes; unshipped units are shown again."""
        with self.lock:
            refund = self.refunds.records[refund_id]
            trade, order = self._order_of(refund)
            full = Decimal(refund["refund_fee"]) >= Decimal(order["divide_order_fee"])
            closes = {"status": "TRADE_CLOSED"} if full else {}
            if full and order["status"] not in SHIPPED:
                self.shift_shown_if_known(_ref(order), order["num"])
            status = closes.get("status", order["status"])
            self._save_refund(refund, status="SUCCESS", order_status=status, end_time=self.now_text())
            left = yuan(max(Decimal(0), Decimal(trade["payment"]) - Decimal(refund["refund_fee"])))
            self.change_trade(trade, payment=left)
            self._after_refund(refund, "RefundSuccess", refund_status="SUCCESS", **closes)

    def close_refund(self, refund_id: str) -> None:
        """Let the buyer withdraw."""
        with self.lock:
            refund = self.refunds.records[refund_id]
            self._save_refund(refund, status="CLOSED")
            self._after_refund(refund, "RefundClosed", refund_status="CLOSED")

    def load(self, trades: Sequence[Record]) -> None:
        """Take over many new trades as they are (see `trade_of`); their items need not exist."""
        with self.lock:
            self.trades.load({**trade, "tid": int(trade["tid"])} for trade in trades)

    def shift_shown_if_known(self, ref: str, units: int) -> None:
        """As `shift_shown`; items that are not in the catalogue have no number to change."""
        if ref in self.stock():
            self.shift_shown(ref, units)

    def _line(self, ref: str, units: int) -> TradeLine:
        num_iid, _, sku_id = ref.partition(":")
        item = self.items.records[num_iid]
        code = next((sku["outer_id"] for sku in item["skus"] if str(sku["sku_id"]) == sku_id), "")
        return TradeLine(
            num_iid=int(num_iid),
            num=units,
            price=item["price"],
            sku_id=sku_id,
            outer_iid=item["outer_id"],
            outer_sku_id=code,
            title=item["title"],
        )

    def _shift(self, trade: Record, sign: int, *, at_payment: bool) -> None:
        """Take a trade's units out of the number shown, or put them back, where the item does so at this moment."""
        for order in trade["orders"]["order"]:
            item = self.items.records.get(str(order["num_iid"]))
            if item is not None and (item["sub_stock"] == 2) is at_payment:
                self.shift_shown(_ref(order), sign * order["num"])

    def _with_status(self, trade: Record, status: str, **changes: Any) -> Record:
        """Give a trade and its sub-orders that are not closed a new status."""
        orders = [row if row["status"] in CLOSED else {**row, "status": status} for row in trade["orders"]["order"]]
        return self.change_trade(trade, status=status, orders={"order": orders}, **changes)

    def _order_of(self, refund: Record) -> tuple[Record, Record]:
        trade = self.trades.records[str(refund["tid"])]
        return trade, next(row for row in trade["orders"]["order"] if row["oid"] == refund["oid"])

    def _save_refund(self, refund: Record, **changes: Any) -> None:
        self.save(self.refunds, {**refund, **changes, "modified": self.now_text()})

    def _after_refund(self, refund: Record, event: str, **order_changes: Any) -> None:
        """Change the sub-order with its refund; a trade of which nothing is left open closes."""
        trade, order = self._order_of(refund)
        orders = [{**row, **order_changes} if row is order else row for row in trade["orders"]["order"]]
        closed = all(row["status"] in CLOSED for row in orders)
        status = "TRADE_CLOSED" if closed else trade["status"]
        self.change_trade(trade, orders={"order": orders}, status=status)
        content = {name: refund[name] for name in ("refund_id", "tid", "oid", "refund_fee")}
        self.notify(f"taobao_refund_{event}", content)


def _ref(order: Record) -> str:
    sku_id = order.get("sku_id", "")
    return f"{order['num_iid']}:{sku_id}" if sku_id else str(order["num_iid"])
