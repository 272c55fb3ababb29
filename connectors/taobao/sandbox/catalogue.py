"""Items and SKUs: what the shop shows, and the calls that read and set it.

Source: protocol note taobao.md sections 5 and 5.1.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.taobao.sandbox.errors import TopError, invalid, missing, refused
from connectors.taobao.sandbox.slices import slice_of
from connectors.taobao.sandbox.state import ShopState
from connectors.taobao.sandbox.views import picked
from erpsync.sdk.sandbox.shop import Record, SoldOut

MAX_REACH = 20_000
QUANTITY = "item-quantity-update"


class Catalogue(ShopState):
    """The shop's items. `refused_listings` holds item_refs whose stock the platform will not change."""

    refused_listings: set[str]

    def add_item(
        self,
        *,
        qty: int = 0,
        skus: Mapping[str, int] | None = None,
        outer_id: str = "",
        title: str = "示例商品",
        price: str = "10.00",
        on_sale: bool = True,
        at_payment: bool = False,
    ) -> str:
        """Put an item into the shop and return its num_iid.

        Args:
            qty: units shown of an item without SKUs.
            skus: units shown by seller code of the SKU; an empty code is a SKU without one.
            at_payment: units leave the number shown when the buyer pays, not when they order.
        """
        with self.lock:
            num_iid = 650_000_000_000 + self.next_number()
            rows = [self._new_sku(num_iid, code, units) for code, units in (skus or {}).items()]
            self.items.put(
                {
                    "num_iid": num_iid,
                    "title": title,
                    "outer_id": outer_id,
                    "price": price,
                    "num": sum(row["quantity"] for row in rows) if rows else qty,
                    "approve_status": "onsale" if on_sale else "instock",
                    "sub_stock": 2 if at_payment else 1,
                    "modified": self.now_text(),
                    "skus": rows,
                }
            )
            self.notify("taobao_item_ItemAdd", {"num_iid": num_iid})
            return str(num_iid)

    def remove_item(self, num_iid: str) -> None:
        """Delete an item; calls that name it are refused from now on."""
        with self.lock:
            item = self.items.records[num_iid]
            self.items.put({**item, "approve_status": "deleted", "modified": self.now_text()})
            self.notify("taobao_item_ItemDelete", {"num_iid": item["num_iid"]})

    def stock(self) -> dict[str, int]:
        """Return the units shown, by `NUM_IID:SKU_ID`, or `NUM_IID` for items without SKUs."""
        with self.lock:
            shown: dict[str, int] = {}
            for key, item in self.items.records.items():
                if item["approve_status"] == "deleted":
                    continue
                if item["skus"]:
                    shown |= {f"{key}:{sku['sku_id']}": sku["quantity"] for sku in item["skus"]}
                else:
                    shown[key] = item["num"]
            return shown

    def find_ref(self, code: str) -> str:
        """Return the first `NUM_IID[:SKU_ID]` for a seller code, or the text itself when it is such a reference."""
        with self.lock:
            for key, item in self.items.records.items():
                for sku in item["skus"]:
                    if sku["outer_id"] == code:
                        return f"{key}:{sku['sku_id']}"
                if item["outer_id"] == code and not item["skus"]:
                    return key
            return code

    def shift_shown(self, ref: str, units: int) -> None:
        """Change the number shown by `units`; raises `SoldOut` when it would fall below zero."""
        shown = self.stock()[ref]
        if shown + units < 0:
            raise SoldOut(f"{ref} shows {shown} units")
        self._set_shown({ref: shown + units})

    def _new_sku(self, num_iid: int, code: str, units: int) -> dict[str, Any]:
        sku_id = 4_700_000_000_000 + self.next_number()
        return {"sku_id": sku_id, "num_iid": num_iid, "outer_id": code, "quantity": units}

    def _set_shown(self, numbers: Mapping[str, int]) -> Record:
        """Set numbers of one item by reference; return the item."""
        num_iid = next(iter(numbers)).partition(":")[0]
        item = self.items.records[num_iid]
        skus = [{**sku, "quantity": numbers.get(f"{num_iid}:{sku['sku_id']}", sku["quantity"])} for sku in item["skus"]]
        num = sum(sku["quantity"] for sku in skus) if skus else numbers[num_iid]
        changed = {**item, "skus": skus, "num": num, "modified": self.now_text()}
        self.items.put(changed)
        self.notify("taobao_item_ItemStockChanged", {"num_iid": item["num_iid"], "num": num})
        return changed

    # ---- calls -----------------------------------------------------------------------------------------------------

    def items_onsale_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.items.onsale.get."""
        return self._items(params, lambda item: item["approve_status"] == "onsale")

    def items_inventory_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.items.inventory.get."""
        return self._items(params, lambda item: item["approve_status"] == "instock")

    def item_skus_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.item.skus.get."""
        ids = [part for part in params.get("num_iids", "").split(",") if part]
        if not 1 <= len(ids) <= 40:
            raise invalid("num_iids")
        skus = [sku for key in ids if key in self.items.records for sku in self.items.records[key]["skus"]]
        return _listed("skus", "sku", [picked(sku, params["fields"]) for sku in skus])

    def skus_custom_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.skus.custom.get; the item's id stands in `iid`, and in no other field."""
        code = params.get("outer_id") or _raise(missing("outer_id"))
        skus = [sku for item in self._live() for sku in item["skus"] if sku["outer_id"] == code]
        if not skus:
            raise refused("item-skus-custom-get", "ITEM_NOT_FOUND")
        rows = [{"sku_id": sku["sku_id"], "iid": str(sku["num_iid"]), "outer_id": sku["outer_id"]} for sku in skus]
        return _listed("skus", "sku", [picked(row, params["fields"]) for row in rows])

    def items_custom_get(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.items.custom.get."""
        codes = (params.get("outer_id") or _raise(missing("outer_id"))).split(",")
        items = [item for item in self._live() if item["outer_id"] in codes]
        return _listed("items", "item", [picked(item, params["fields"]) for item in items])

    def item_quantity_update(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.item.quantity.update."""
        item = self._item(params)
        sku_id = params.get("sku_id", "")
        if bool(item["skus"]) != bool(sku_id):
            raise refused(QUANTITY, "SKU_MISMATCH", "the item has SKUs or has none")
        ref = f"{item['num_iid']}:{sku_id}" if sku_id else str(item["num_iid"])
        return self._update(item, {ref: _whole(params.get("quantity", ""), "quantity")}, params, floor=None)

    def skus_quantity_update(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.skus.quantity.update."""
        item = self._item(params)
        by_id, by_code = params.get("skuid_quantities", ""), params.get("outerid_quantities", "")
        pairs = [part.rpartition(":") for part in (by_id or by_code).split(";") if part]
        if not 1 <= len(pairs) <= 20:
            raise invalid("skuid_quantities")
        codes = {sku["outer_id"]: sku["sku_id"] for sku in item["skus"]}
        numbers = {
            f"{item['num_iid']}:{name if by_id else codes.get(name, name)}": _whole(qty, "skuid_quantities")
            for name, _, qty in pairs
        }
        return self._update(item, numbers, params, floor=0)

    def _items(self, params: Mapping[str, str], keep: Callable[[Record], bool]) -> dict[str, Any]:
        number, size = int(params.get("page_no") or 1), int(params.get("page_size") or 40)
        if not 1 <= size <= 200 or number < 1 or number * size > MAX_REACH:
            raise invalid("page_no")
        bounds = (params.get("start_modified") or "", params.get("end_modified") or "9999")
        newest = filter(keep, self.items.within("modified", *bounds, newest_first=True))
        page = slice_of(newest, number=number, size=size, count=True)
        rows = [picked(item, params["fields"]) for item in page.rows]
        return {**_listed("items", "item", rows), "total_results": page.total}

    def _live(self) -> list[Record]:
        return [item for item in self.items.records.values() if item["approve_status"] != "deleted"]

    def _item(self, params: Mapping[str, str]) -> Record:
        item = self.items.records.get(params.get("num_iid") or _raise(missing("num_iid")))
        if item is None or item["approve_status"] == "deleted":
            raise TopError(15, "isv.item-not-exist", "the item does not exist")
        return item

    def _update(
        self, item: Record, numbers: Mapping[str, int], params: Mapping[str, str], *, floor: int | None
    ) -> dict[str, Any]:
        """Set or shift numbers; one thing the platform refuses lets it refuse the whole call."""
        shown = self.stock()
        for ref in numbers:
            if ref not in shown or ref in self.refused_listings:
                raise refused(QUANTITY, "IC_SKU_NOT_CHANGEABLE", f"{ref} cannot be changed")
        if params.get("type", "1") == "2":
            numbers = {ref: shown[ref] + units for ref, units in numbers.items()}
            numbers = numbers if floor is None else {ref: max(floor, units) for ref, units in numbers.items()}
        if any(units < 0 for units in numbers.values()):
            raise invalid("quantity")
        changed = self._set_shown(numbers)
        rows = [{"sku_id": s["sku_id"], "quantity": s["quantity"]} for s in changed["skus"]]
        answer = {"iid": "", "num_iid": item["num_iid"], "num": changed["num"], "modified": changed["modified"]}
        return {"item": {**answer, **({"skus": {"sku": rows}} if rows else {})}}


def _listed(plural: str, singular: str, rows: Sequence[Any]) -> dict[str, Any]:
    """Return a list as the platform wraps it; an empty one is left out."""
    return {plural: {singular: list(rows)}} if rows else {}


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise invalid(name) from None


def _raise(error: TopError) -> str:
    raise error
