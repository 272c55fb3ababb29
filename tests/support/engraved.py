"""Mugs that are made as buyers want them: the rules by which that is read, and a town that sells them."""

from dataclasses import replace
from typing import Any

from erpsync.core.specs import Allow, Parameter, SpecSource
from erpsync.flows.inventory.items import ItemRow, import_items
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.store.variants import opened_specs
from tests.support import looking
from tests.support.shop import Town

TEXT = Parameter(
    name="text",
    sources=(
        SpecSource(kind="property", name="刻字"),
        SpecSource(kind="buyer_note", after=("刻:", "刻：")),
        SpecSource(kind="seller_note", after=("刻:",)),
    ),
    required=True,
    max_chars=6,
    allow=Allow(letters=True, digits=True, also=" ·"),
)
SIZE = Parameter(
    name="size",
    sources=(SpecSource(kind="property", name="尺码"),),
    one_of={"S": ("小",), "M": ("中",), "L": ("大",)},
    default="M",
)
RULES = {"engraving": (TEXT, SIZE)}


def makes(town: Town, sku: str = "MUG", **cells: str) -> None:
    """Let a town make a SKU as buyers want it."""
    town.ctx = replace(town.ctx, specs=RULES)
    said = {"supply": "make", "spec": "engraving"} | cells
    result = import_items(town.ctx, [ItemRow(sku=sku, cells=said)], actor="me")
    assert not result.refused
    if "shop" in {channel.name for channel in town.ctx.channels.values()}:
        import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku=sku, sku=sku)], actor="me")


def place(town: Town, name: str, *texts: str, qty: int = 1, sku: str = "MUG", **fields: Any) -> None:
    """Let a buyer order a mug for each text, as a property of its line; an empty text names none."""
    town.shop.place(name, *((sku, qty) for _ in texts), **fields)
    for line, text in zip(town.shop.orders[name]["lines"], texts, strict=True):
        line["properties"] = [["刻字", text]] if text else []


def write(town: Town, name: str, text: str, *, line: int = 0) -> None:
    """Let the shop show another text on a line."""
    lines = [dict(each) for each in town.shop.orders[name]["lines"]]
    lines[line]["properties"] = [["刻字", text]]
    town.shop.change(name, lines=lines)


def wants(town: Town) -> dict[str, dict[str, str]]:
    """Return the specs of all variants by their codes."""
    codes = dict(looking.rows(town, "SELECT variant.sku_id, code FROM variant JOIN sku ON sku.id = variant.sku_id"))
    with town.store.begin() as tx:
        return {codes[id]: spec for id, spec in opened_specs(tx, codes).items()}


def made_of(town: Town, name: str) -> list[dict[str, str] | str]:
    """Return what each part of an order's lines is made like; one that is made like nothing by its code."""
    query = """
        SELECT order_line.id, sku.code FROM order_line JOIN orders ON orders.id = order_line.order_id
        LEFT JOIN line_part ON line_part.line_id = order_line.id
        JOIN sku ON sku.id = coalesce(line_part.sku_id, order_line.sku_id)
        WHERE orders.external_id = :name ORDER BY order_line.id, sku.code
    """
    specs = wants(town)
    return [specs.get(code, code) for _, code in looking.rows(town, query, name=name)]


def awaited(town: Town, name: str) -> dict[str, int]:
    """Return the units that an order waits for, by what they are made like, or by code."""
    query = """
        SELECT sku.code, sum(backorder.qty) FROM backorder JOIN sku ON sku.id = backorder.sku_id
        JOIN orders ON orders.id = backorder.order_id WHERE orders.external_id = :name GROUP BY sku.code
    """
    specs = wants(town)
    return {specs.get(code, {}).get("text", code): int(qty) for code, qty in looking.rows(town, query, name=name)}
