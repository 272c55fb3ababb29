"""SKUs: what the shop shows, and the calls that read and set it.

Source: protocol note jd.md section 5; envelope of the SKU list as public SDKs read it.
"""

from collections.abc import Mapping
from typing import Any

from connectors.jd.sandbox.errors import invalid
from connectors.jd.sandbox.state import ShopState
from erpsync.sdk.sandbox.shop import SoldOut

Params = Mapping[str, Any]


class Catalogue(ShopState):
    """The shop's SKUs. `refused_listings` holds skuIds whose stock the platform will not change."""

    refused_listings: set[str]

    def add_item(self, *, code: str = "", qty: int = 0, title: str = "示例商品", price: str = "10.00") -> str:
        """Put a SKU into the shop and return its skuId."""
        with self.lock:
            number = self.next_number()
            sku_id = str(100_000_000_000 + number)
            self.skus[sku_id] = {
                "skuId": int(sku_id),
                "wareId": 200_000_000_000 + number,
                "outerId": code,
                "skuName": title,
                "jdPrice": price,
                "status": 1,
                "stockNum": qty,
                "modified": self.now_text(),
            }
            return sku_id

    def remove_item(self, sku_id: str) -> None:
        """Delete a SKU; calls that name it are refused from now on."""
        with self.lock:
            self.skus[sku_id] = {**self.skus[sku_id], "status": 4}

    def stock(self) -> dict[str, int]:
        """Return the units shown, by skuId."""
        with self.lock:
            return {key: sku["stockNum"] for key, sku in self.skus.items() if sku["status"] != 4}

    def find_ref(self, code: str) -> str:
        """Return the first skuId for a seller code, or the text itself when no SKU carries it."""
        with self.lock:
            return next((key for key, sku in self.skus.items() if sku["outerId"] == code), code)

    def shift_shown(self, sku_id: str, units: int) -> None:
        """Change the number shown by `units`; raises `SoldOut` when it would fall below zero."""
        shown = self.stock()[sku_id]
        if shown + units < 0:
            raise SoldOut(f"{sku_id} shows {shown} units")
        self.skus[sku_id] = {**self.skus[sku_id], "stockNum": shown + units}

    # ---- calls -----------------------------------------------------------------------------------------------------

    def search_skus(self, params: Params) -> dict[str, Any]:
        """Answer jingdong.sku.read.searchSkuList."""
        size, number = int(params.get("page_size") or 10), int(params.get("pageNo") or 1)
        if not 1 <= size <= 50 or number < 1:
            raise invalid("page_size")
        wanted = set(str(params.get("skuStatuValue") or "1").split(","))
        names = set(str(params.get("field") or "").split(",")) | {"skuId", "wareId"}
        chosen = [sku for _, sku in sorted(self.skus.items()) if str(sku["status"]) in wanted]
        rows = [{k: v for k, v in sku.items() if k in names} for sku in chosen[(number - 1) * size : number * size]]
        return {"page": {"data": rows, "pageNo": number, "pageSize": size, "totalItem": len(chosen)}}

    def update_sku_stock(self, params: Params) -> dict[str, Any]:
        """Answer jingdong.stock.write.updateSkuStock."""
        refusal = self._set_stock(str(params.get("skuId")), params.get("stockNum"))
        return {"success": False, "errorCode": "4001", "message": refusal} if refusal else {"success": True}

    def set_ware_stock(self, params: Params) -> dict[str, Any]:
        """Answer jingdong.ware.stock.sku.set: success as a whole, and a result per line."""
        request = params.get("req")
        if not isinstance(request, dict) or not request.get("stockRfId") or not request.get("updateModel"):
            raise invalid("req")
        results = []
        for row in request.get("skuStocks") or ():
            refusal = self._set_stock(str(row.get("skuId")), row.get("stockNum"))
            results.append({"data": str(row.get("skuId")), "success": not refusal, "storeId": 0, "message": refusal})
        return {"returnType": {"success": True, "code": "0", "message": "", "obj": {"updateStockResult": results}}}

    def _set_stock(self, sku_id: str, qty: object) -> str:
        """Set one number; return why not, empty when it was set."""
        if not isinstance(qty, int) or qty < 0:
            return "stockNum"
        if sku_id not in self.stock():
            return "sku不存在"
        if sku_id in self.refused_listings:
            return "sku不可修改"
        self.skus[sku_id] = {**self.skus[sku_id], "stockNum": qty, "modified": self.now_text()}
        return ""
