"""What people do about one SKU: change or count it, keep some back, let held numbers go, try a refused one again."""

from functools import partial

from starlette.responses import Response

from erpsync.flows.availability.brake import confirm_stock
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.inventory import goods_cells
from erpsync.flows.inventory.counts import add_stock, set_stock
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.flows.inventory.policies import FIELDS, UNSET, PolicyRow, import_policies
from erpsync.flows.inventory.waiting_counts import ROSE, key_of
from erpsync.flows.operations.dead_letters import replay_letter
from erpsync.flows.operations.tasks import finish_task
from erpsync.store.views.sku_page import open_task_of, unknown_skus
from erpsync.web.access.door import Guarded
from erpsync.web.access.forms import Form
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.goods.fields import MOST_UNITS, needed, reason_of, units_of
from erpsync.web.console.kit import Kit

_SKU = "a SKU is needed"
_PLACE = "a warehouse is needed"
_SHOP = "a shop is needed"
_LETTER = "this number is not refused any more"


class SkuActs:
    """The acts on one SKU; each leads back to the page it was done on."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return their addresses."""
        door = self._kit.door
        return [
            door.act("/stock/adjust", self.adjust, role="operate"),
            door.act("/stock/believe", self.believe, role="operate"),
            door.act("/stock/confirm", self.confirm, role="operate"),
            door.act("/stock/count", self.count, role="operate"),
            door.act("/stock/goods", self.goods, role="operate"),
            door.act("/stock/policy", self.policy, role="operate"),
            door.act("/stock/retry", self.retry, role="operate"),
        ]

    def adjust(self, visit: Visit) -> Response:
        """Add units, or take some away."""
        return self._kit.acts.carry_out(visit, partial(self._adjust, visit))

    def _adjust(self, visit: Visit, ctx: Context) -> Said:
        form = visit.form
        place, qty = needed(form, "warehouse", _PLACE), units_of(form, "qty", least=-MOST_UNITS)
        sku, reason = self._known(form), reason_of(form)
        add_stock(ctx, warehouse=place, sku=sku, qty=qty, reason=reason, actor=visit.actor)
        if qty < 0:
            return Said(text=f"{-qty} of {sku} were taken away in {place}.")
        return Said(text=f"{qty} of {sku} were added in {place}.")

    def count(self, visit: Visit) -> Response:
        """Set what is on hand now."""
        return self._kit.acts.carry_out(visit, partial(self._count, visit), again=True)

    def _count(self, visit: Visit, ctx: Context) -> Said:
        form = visit.form
        place, on_hand = needed(form, "warehouse", _PLACE), units_of(form, "on_hand")
        sku, reason = self._known(form), reason_of(form)
        set_stock(ctx, warehouse=place, sku=sku, on_hand=on_hand, reason=reason, actor=visit.actor)
        return Said(text=f"{place} has {on_hand} of {sku}, as counted.")

    def believe(self, visit: Visit) -> Response:
        """Take a count that waited for a person."""
        return self._kit.acts.carry_out(visit, partial(self._believe, visit))

    def _believe(self, visit: Visit, ctx: Context) -> Said:
        sku, place = needed(visit.form, "sku", _SKU), needed(visit.form, "warehouse", _PLACE)
        with self._kit.site.store.read() as connection:
            id = open_task_of(connection, ROSE, key_of(place, sku))
        if id is None:
            raise Refused(f"no count of {sku} in {place} waits any more")
        finish_task(ctx, id, actor=visit.actor)
        return Said(text=f"The count of {sku} in {place} is taken.")

    def confirm(self, visit: Visit) -> Response:
        """Let the zeros of a channel go that the brake holds back."""
        return self._kit.acts.carry_out(visit, partial(self._confirm, visit))

    def _confirm(self, visit: Visit, ctx: Context) -> Said:
        name = needed(visit.form, "channel", _SHOP)
        freed = confirm_stock(ctx, name, actor=visit.actor)
        return Said(text=f"1 number goes to {name} now." if freed == 1 else f"{freed} numbers go to {name} now.")

    def goods(self, visit: Visit) -> Response:
        """Set what a SKU is, or on which shelf it lies."""
        return self._kit.acts.carry_out(visit, partial(self._goods, visit))

    def _goods(self, visit: Visit, ctx: Context) -> Said:
        form = visit.form
        cells = {field: form.text(field).strip() for field in goods_cells.FIELDS}
        if not any(cell for field, cell in cells.items() if field != "currency"):
            raise Refused(f"nothing is filled in; {UNSET} takes back what is set")
        sku, place = self._known(form), form.text("warehouse").strip() if cells["shelf"] else ""
        result = import_goods(ctx, [GoodsRow(sku=sku, warehouse=place, cells=cells)], actor=visit.actor)
        if result.refused:
            return Said(refused=tuple(("", problem) for _, problem in result.refused))
        note = next((said for _, said in result.notes), "")
        return Said(text=f"The goods data of {sku} is set, but {note}." if note else f"The goods data of {sku} is set.")

    def policy(self, visit: Visit) -> Response:
        """Set what a shop or a warehouse keeps back of a SKU."""
        return self._kit.acts.carry_out(visit, partial(self._policy, visit))

    def _policy(self, visit: Visit, ctx: Context) -> Said:
        form = visit.form
        kind, _, name = needed(form, "place", "a shop or a warehouse is needed").partition(" ")
        place = {kind: name} if kind in ("channel", "warehouse") else {}
        cells = {field: form.text(field).strip() for field in FIELDS}
        if not any(cells.values()):
            raise Refused(f"nothing is filled in; {UNSET} takes back what is set")
        sku = self._known(form)
        result = import_policies(ctx, [PolicyRow(sku=sku, cells=cells, **place)], actor=visit.actor)
        if result.refused:
            return Said(refused=tuple(("", problem) for _, problem in result.refused))
        if cells["paused"] == "yes":
            return Said(text=f"{sku} is paused on {name}.")
        return Said(text=f"What {name} keeps of {sku} is set.")

    def retry(self, visit: Visit) -> Response:
        """Tell a number again that its shop refused."""
        return self._kit.acts.carry_out(visit, partial(self._retry, visit))

    def _retry(self, visit: Visit, ctx: Context) -> Said:
        letter = needed(visit.form, "letter", _LETTER)
        if not letter.isdecimal():
            raise Refused(_LETTER)
        replay_letter(ctx, int(letter[:18]), actor=visit.actor)
        return Said(text="The number goes to the shop once more.")

    def _known(self, form: Form) -> str:
        """Return the SKU of a form; raises `Refused` for one that is none of ours."""
        sku = needed(form, "sku", _SKU)
        with self._kit.site.store.read() as connection:
            unknown = unknown_skus(connection, [sku])
        if unknown:
            raise Refused(f"there is no SKU {sku}")
        return sku
