"""Comparing each channel with what we hold, a little at a time: there is no hurry, and calls are for selling.

Why a chain per channel: a comparison calls its channel, and a shop that does not answer must keep neither the other
shops from being compared nor the upkeep from being done.
"""

from erpsync.runtime.chains import Chain, Launcher
from erpsync.runtime.polls import PAGE_DEADLINE_S, TAKEN_S
from erpsync.runtime.presence import Held
from erpsync.runtime.world import World
from erpsync.store.leases import LeaseLostError, under

COMPARE_S = 60.0
BEHIND_S = 10.0


class Comparing:
    """The chains that compare, one per channel."""

    def __init__(self, world: World, launcher: Launcher) -> None:
        self._world = world
        self._launcher = launcher
        self._chains: dict[str, Chain] = {}

    def settle(self) -> None:
        """Have exactly the chains that the context in force needs; a new one begins at once."""
        wanted = {channel.name for channel in self._world.ctx.channels.values() if channel.enabled}
        for name in self._chains.keys() - wanted:
            self._chains.pop(name).close()
        for name in sorted(wanted - self._chains.keys()):
            self._chains[name] = self._chain(name)
            self._launcher.wake_in(self._chains[name], 0)

    def close(self) -> None:
        """Begin no further run."""
        for chain in self._chains.values():
            chain.close()

    def _chain(self, name: str) -> Chain:
        return Chain(
            f"compare {name}",
            lambda: self._turn(name),
            launcher=self._launcher,
            pool=lambda: self._world.pool(name, "bulk"),
        )

    def _turn(self, name: str) -> float | None:
        """Compare a channel if it is this node's to serve; return after how long to look again."""
        if not self._world.presence.preferred(name):
            return COMPARE_S
        with self._world.presence.lease(f"compare:{name}") as held:
            return TAKEN_S if held is None else self._compare(name, held)

    def _compare(self, name: str, held: Held) -> float | None:
        world, visit = self._world, self._world.visit(name)
        if visit is None or visit.channel.connector is None:
            return COMPARE_S
        with world.running(f"compare {name}", kind="upkeep", deadline_s=PAGE_DEADLINE_S) as run:

            def ends() -> bool:
                run.touch()
                return visit.stopping() or not world.presence.good(held)

            try:
                with under(held.lease):
                    compared = world.stages.reconcile(visit.ctx, visit.channel, stopping=ends)
            except LeaseLostError:
                return TAKEN_S
        world.meters.add("erpsync_windows_sealed_total", compared.sealed, channel=name)
        world.meters.add("erpsync_orders_found_late_total", compared.missed, channel=name)
        for kind, count in compared.drifted.items():
            world.meters.add("erpsync_listings_drifted_total", count, channel=name, kind=kind)
        return BEHIND_S if compared.more else COMPARE_S
