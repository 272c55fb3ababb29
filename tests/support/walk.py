"""Letting things happen in a town step by step; what its database then holds is told by `tests.support.looking`."""

from erpsync.flows.availability import fan_out
from erpsync.flows.availability import push as stock_push
from erpsync.flows.intake.poll import PassReport, poll_stream
from erpsync.flows.intake.schedule import due_streams
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.shipments import push as shipment_push
from tests.support import looking
from tests.support.shop import Town

PASSES = 12  # more than any town needs until nothing is due
SETTLED_S = 5.0


def poll(town: Town, stream: str = "orders", *, name: str = "shop") -> PassReport:
    """Read one stream once, due or not."""
    return poll_stream(town.ctx, town.channel(name), stream)


def read(town: Town, *streams: str, name: str = "shop") -> None:
    """Read streams of a channel once (orders, the back-fill and refunds when none are named)."""
    for stream in streams or ("orders", "backfill", "refunds"):
        if stream == "backfill" and not streams and looking.backfilled(town, name):
            continue
        town.advance(0.01)
        poll(town, stream, name=name)


def settle_in(town: Town, *, name: str = "shop") -> None:
    """Read whatever is due until nothing is: the first pass, the back-fill, the refunds, the catalogue."""
    for _ in range(PASSES):
        due = due_streams(town.ctx, town.channel(name))
        if not due:
            return
        for stream in due:
            report = poll(town, stream, name=name)
            assert not report.failed, report.error
    raise AssertionError(f"still due: {due}")


def fan(town: Town) -> None:
    """Turn all dirty marks into rows."""
    while fan_out.fan_out(town.ctx):
        pass


def tell(town: Town) -> int:
    """Push parcels that are due to the shop once; return how many rows were handled."""
    return shipment_push.push_shipments(town.ctx, town.channel())


def push_due(town: Town, name: str = "shop") -> int:
    """Push what is due now; return how many rows were handled."""
    fan(town)
    done = 0
    while handled := stock_push.push_stock(town.ctx, town.channel(name)):
        done += handled
    while handled := shipment_push.push_shipments(town.ctx, town.channel(name)):
        done += handled
    return done


def run(town: Town, *, rounds: int = PASSES) -> None:
    """Let the daemon's stages run until nothing is due any more within a few seconds."""
    for _ in range(rounds):
        busy = 0
        for one in town.ctx.channels.values():
            for stream in due_streams(town.ctx, one):
                busy += 1
                poll(town, stream, name=one.name)
            busy += push_due(town, one.name)
        next_s = stock_push.next_run_s(town.ctx)
        if next_s is not None and next_s <= SETTLED_S:
            town.advance(next_s + 0.01)
        elif not busy:
            return


def make_known(town: Town, code: str = "A", *, on_hand: int = 5) -> None:
    """Have a SKU counted, listed and told."""
    counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=on_hand, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku=code, sku=code)], actor="me")
    run(town)


def arrive(town: Town, qty: int, code: str = "A") -> None:
    """Let units of a SKU come in."""
    counts.add_stock(town.ctx, warehouse="SH", sku=code, qty=qty, reason="arrival", actor="me")
