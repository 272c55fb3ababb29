"""What people do while the demonstration runs: buyers, a stockkeeper who unpacks, packers who pick waves and scan."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from erpsync.cli.demo.stage import Stage, goods
from erpsync.flows.context import Context
from erpsync.flows.desk.scans import leave
from erpsync.flows.desk.waves import make_wave
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.counts import Count, add_stock, import_counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.sdk.roles import ListingSource
from erpsync.store.views.releases import list_waves, show_wave

ACTOR = "demo"
STEP_S = 0.1
WAVE = 3
CARRIERS = ("SF", "YTO", "ZTO", "YUNDA")


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
    """Threads that trade until told to stop. `shipped` counts parcels; what a thread raised is in `errors`."""

    stage: Stage
    ctx: Callable[[], Context]
    seed: int
    shipped: int = 0
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
        return [*buyers, ("stock", lambda: self._unpack(rng), 1.5), ("packer", lambda: self._pack(rng), 0.5)]

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

    def _pack(self, rng: random.Random) -> None:
        ctx = self.ctx()
        for warehouse in ctx.desks:
            make_wave(ctx, warehouse=warehouse, most=WAVE, actor=ACTOR)
        with ctx.store.read() as connection:
            waves = list_waves(connection, states=("open",), limit=0)
            picked = [release for wave in waves for release in show_wave(connection, wave["number"])["members"]]
        for release in picked[-WAVE:]:
            tracking = f"DEMO{time.monotonic_ns():020d}"
            try:
                leave(ctx, release["number"], carrier=rng.choice(CARRIERS), tracking=tracking, actor=ACTOR)
            except Refused:  # a refund or a cancel came in between
                continue
            self.shipped += 1
