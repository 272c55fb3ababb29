"""Shops, couriers and groups of the demonstration: buyers who buy, people who are told, and what really happened.

A connector offers one in a module `demo` beside its `connector`; `erpsync demo` runs all it finds.

Why it keeps its own books: the demonstration ends with a proof, and what erpsync stored has to be held against what
the shop knows, not against what erpsync says.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox.base import Sandbox
from erpsync.sdk.sandbox.faults import FaultPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """Something that all shops of the demonstration sell; `code` is our SKU and the shops' seller code."""

    code: str
    title: str
    price_minor: int


class DemoShop(ABC):
    """A shop with buyers.

    Args:
        folder: this shop's own folder for files.
        rng: decides what buyers do.
        faults: what goes wrong between erpsync and the shop.
    """

    connector: ClassVar[str]
    title: ClassVar[str]
    sandbox: Sandbox | None = None

    def __init__(self, *, folder: Path, clock: Clock, rng: random.Random, faults: FaultPlan) -> None:
        self.folder = folder
        self.clock = clock
        self.rng = rng
        self.faults = faults

    @abstractmethod
    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the channel's `settings` block; `url` is where `sandbox` is served."""

    def connect(self, hooks_url: str) -> None:
        """Take the address for webhooks; only shops that call erpsync need it."""
        del hooks_url

    @abstractmethod
    def list_goods(self, goods: Sequence[Good]) -> None:
        """Offer goods, none of them in stock yet: erpsync will tell how many there are."""

    @abstractmethod
    def act(self) -> None:
        """Let somebody do something: order, pay, change an address, ask for a refund."""

    def close_shop(self) -> None:  # noqa: B027 - most shops have nothing to finish
        """Finish what is half done; nobody acts after this."""

    @abstractmethod
    def placed(self) -> set[str]:
        """Return the ids of all orders ever placed."""

    @abstractmethod
    def shown(self) -> Mapping[str, int]:
        """Return how many units the shop shows now, by seller code."""

    @abstractmethod
    def told(self) -> Sequence[tuple[str, str]]:
        """Return order and courier's number of each parcel that the shop was told of, as often as it has it."""


class DemoPlatform(ABC):
    """A platform that is no shop.

    Args:
        faults: what goes wrong between erpsync and it.
    """

    connector: ClassVar[str]
    sandbox: Sandbox

    def __init__(self, *, clock: Clock, faults: FaultPlan) -> None:
        self.clock = clock
        self.faults = faults

    @abstractmethod
    def settings(self, url: str) -> Mapping[str, Any]:
        """Return the channel's `settings` block; `url` is where `sandbox` is served."""


class DemoCourier(DemoPlatform):
    """A courier's platform that books parcels, and what it really gave."""

    @abstractmethod
    def rates(self) -> tuple[int, int]:
        """Return what the first kilogram costs and each further one that is begun, in fen."""

    def act(self) -> None:
        """Do what the courier's people do by themselves, such as giving numbers that are owed."""

    @abstractmethod
    def numbers(self) -> Mapping[str, bool]:
        """Return every number that was ever given and is to be paid for, True where it was voided."""


class DemoGroup(DemoPlatform):
    """People who are told through a robot, and what really stands in their group."""

    @abstractmethod
    def told(self) -> Sequence[tuple[datetime, str]]:
        """Return when each message was accepted and what it says, oldest first."""
