"""What people do while the demonstration runs: buyers, a stockkeeper who unpacks, couriers; packers stand in `desk`."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from erpsync.cli.demo.desk import ACTOR, Packers
from erpsync.cli.demo.stage import Stage, goods
from erpsync.flows.context import Context
from erpsync.flows.inventory.counts import Count, add_stock, import_counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.sdk.roles import ListingSource

STEP_S = 0.1


def open_with_stock(ctx: Context, rng: random.Random) -> None:
    """Count scarce stock of every good into two warehouses, and say what shops without a catalogue sell."""
    named = [channel.name for channel in ctx.channels.values() if not channel.plays(ListingSource)]
    import_listings(
        ctx,
        [ListingMapping(channel=name, channel_sku=good.code, sku=good.code) for name in named for good in goods()],
        actor=ACTOR,
    )
    rows = [
        Count(warehouse=warehouse, sku=good.code, on_hand=rng.randint(2, 9))
        for good in goods()
        for warehouse in ("SH", "GZ")
    ]
    import_counts(ctx, rows, actor=ACTOR)


@dataclass
class Traders:
    """Threads that trade until told to stop; what one raised is in `errors`."""

    stage: Stage
    ctx: Callable[[], Context]
    seed: int
    packers: Packers
    errors: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, args=(job, pause_s), name=f"demo-{name}", daemon=True)
            for name, job, pause_s in self._jobs()
        ]

    def _jobs(self) -> list[tuple[str, Callable[[], None], float]]:
        rng = random.Random(f"{self.seed} people")  # noqa: S311 repeatable chance is the point
        buyers = [(name, shop.act, STEP_S) for name, shop in self.stage.shops.items()]
        couriers = [(name, courier.act, 1.0) for name, courier in self.stage.couriers.items()]
        packers = ("packers", lambda: self.packers.work(self.ctx()), 0.5)
        return [*buyers, *couriers, ("stock", lambda: self._unpack(rng), 1.5), packers]

    def start(self) -> None:
        """Open the shops."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let everybody go home; what is half done in the shops is finished."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for shop in self.stage.shops.values():
            shop.close_shop()

    def _loop(self, job: Callable[[], None], pause_s: float) -> None:
        while not self._stop.wait(pause_s):
            try:
                job()
            except Exception as error:  # noqa: BLE001 shown in the summary, which fails by it
                self.errors.append(error)
                return

    def _unpack(self, rng: random.Random) -> None:
        good = rng.choice(goods())
        warehouse, qty = rng.choice(("SH", "GZ")), rng.randint(1, 8)
        add_stock(self.ctx(), warehouse=warehouse, sku=good.code, qty=qty, reason="arrival", actor=ACTOR)
