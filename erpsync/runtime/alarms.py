"""The chain that looks once a minute at what is wrong, so that it is told once when it breaks and once when it mends.

What any node sees alike is looked at by one of them, under a lease; the disks of its machine by each. Nothing is tried
while the database takes no writes: that is kept in memory and stored afterwards.
"""

from collections.abc import Callable, Sequence

from erpsync.flows.alarms.unwritable import Unwritable
from erpsync.runtime.chains import Chain, Launcher
from erpsync.runtime.upkeep import DEADLINE_S
from erpsync.runtime.world import World
from erpsync.store.leases import LeaseLostError, under
from erpsync.store.status.figures import Limits
from erpsync.store.status.storage import Disk

LOOK_S = 60.0


class Alarms:
    """The chain, with what this node knows of a database that takes no writes.

    Args:
        limits: beyond which something is wrong, by the configuration in force.
        disks: how much room this machine has.
    """

    def __init__(
        self,
        world: World,
        launcher: Launcher,
        *,
        limits: Callable[[], Limits],
        disks: Callable[[], Sequence[Disk]],
    ) -> None:
        self._world = world
        self._limits = limits
        self._disks = disks
        self._unwritable = Unwritable()
        self.chain = Chain("alarms", self.look, launcher=launcher, pool=lambda: "upkeep")

    def close(self) -> None:
        """Begin no further look."""
        self.chain.close()

    def look(self) -> float:
        """Look once; return after how many seconds to look again."""
        world = self._world
        if not self._unwritable.look(world.ctx, world.presence.problem):
            return LOOK_S
        with world.running("alarms", kind="upkeep", deadline_s=DEADLINE_S):
            world.stages.watch_disks(world.ctx, self._disks(), self._limits())
            with world.presence.lease("upkeep:alarms") as held:
                if held is None:
                    return LOOK_S
                try:
                    with under(held.lease):
                        world.stages.learn_arrivals(world.ctx)
                        world.stages.tell_late(world.ctx)
                        world.stages.tell_stale(world.ctx)
                        world.stages.watch_alarms(world.ctx, self._limits())
                except LeaseLostError:
                    return LOOK_S
        return LOOK_S
