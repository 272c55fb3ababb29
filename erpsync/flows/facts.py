"""Facts on their way in: records in normal form with the raw records they came from, applied in batches."""

from collections.abc import Iterable
from dataclasses import dataclass

from erpsync.core.readings import Reading
from erpsync.sdk.types import Order, Raw, Refund
from erpsync.store.notes import DeadLetter


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An order in normal form with the raw record it came from."""

    raw: Raw
    order: Order

    @property
    def reading(self) -> Reading:
        """Which version was read, and when."""
        head = self.raw.head
        return Reading(
            version_at=self.order.version_at, digest=head.digest, read_from=self.raw.read_from, read_to=self.raw.read_to
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRecord:
    """A refund in normal form with the raw record it came from."""

    raw: Raw
    refund: Refund

    @property
    def reading(self) -> Reading:
        """Which version was read, and when."""
        head = self.raw.head
        return Reading(
            version_at=self.refund.version_at,
            digest=head.digest,
            read_from=self.raw.read_from,
            read_to=self.raw.read_to,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Facts to be applied together, and what could not be read."""

    orders: tuple[OrderRecord, ...] = ()
    refunds: tuple[RefundRecord, ...] = ()
    letters: tuple[DeadLetter, ...] = ()

    def raws(self) -> list[tuple[str, Raw]]:
        """Return the raw records with their kind."""
        return [("order", record.raw) for record in self.orders] + [("refund", record.raw) for record in self.refunds]

    def halves(self) -> tuple["Batch", "Batch"] | None:
        """Return the batch in two, None when it holds a single record."""
        records: list[OrderRecord | RefundRecord] = [*self.orders, *self.refunds]
        if len(records) < 2:
            return None
        middle = len(records) // 2
        first, second = records[:middle], records[middle:]
        return _batch_of(first, self.letters), _batch_of(second, ())


def _batch_of(records: Iterable[OrderRecord | RefundRecord], letters: tuple[DeadLetter, ...]) -> Batch:
    kept = list(records)
    return Batch(
        orders=tuple(r for r in kept if isinstance(r, OrderRecord)),
        refunds=tuple(r for r in kept if isinstance(r, RefundRecord)),
        letters=letters,
    )
