"""The conformance suite: what every connector must be able to show, ours and those of others.

How to use it. Write a `Harness` for the connector and inherit `ConnectorSuite` in a test module:

    from erpsync.sdk.testing import ConnectorSuite, Harness

    class ShopHarness(Harness):
        page_size = 5                                    # rows of a list call; small makes the suite quick

        def __init__(self) -> None:
            super().__init__()
            self.sandbox = ShopSandbox(clock=self.clock)  # None for a connector without HTTP
            self.personal_data = ("王小明", "13800138000")

        def connector(self) -> ShopConnector:             # a new object each time: that is a restart
            return ShopConnector(ShopSettings(...), self.http(), self.clock)

        def add_order(self, changed_at, *, total_minor): ...   # one method per thing the connector's roles need

    class TestShop(ConnectorSuite):
        def harness(self) -> ShopHarness:                 # fresh platform, fresh clock
            return ShopHarness()

Each check is a test of its own; checks of a role that the connector does not play, or of a situation that the harness
cannot play, are no tests at all. A harness method that a role needs and that is missing fails with `NO_HARNESS`. To
know which checks there are, `harness` and `connector` are called once while pytest collects: no fixture is there yet,
so a harness that needs a folder takes it from `tempfile`. What each method must do stands in
`erpsync.sdk.testing.harness.Harness`:

    every connector     connector(), clock, sandbox, personal_data, state()
    OrderSource         add_order, touch_order, orders, page_size   (+ set_platform_ahead, optional)
    OrderScan           add_order, touch_order
    RefundSource        add_refund, touch_refund, refunds
    ShipmentSink        new_shipment, shipments, shipment_attempts  (+ refused_shipment, optional)
    StockSink           add_listing, shown                          (+ bad_listing, optional)
    ListingSource       add_listing
    WebhookSource       webhook
    ShipmentSource      add_report
    HintSource          add_hint
    WarehouseSink       new_release, releases, release_attempts, stopped
                        (+ waybills_taken, optional)
    WarehouseSource     add_count
    CourierSink         new_booking, bookings, booking_attempts, use_booking, give_numbers
                        (+ refused_booking, unserved_booking, courier_faults, optional)
    WaybillSource       add_spare                                   (+ give_numbers where it plays CourierSink)
    TrackSource         new_track, scan, track_states               (+ track_push where tracks are pushed)
    MessageSink         messages, message_bytes, secrets

The connector must call the platform through `self.http()`: the suite counts the requests there, moves rows between any
two of them and loses answers on purpose. The sandbox must play `Fault.EXPIRED_TOKEN` (asks
`self.faults.strikes(Fault.EXPIRED_TOKEN)` before each answer) and answer `throttled` in the platform's own words. That
of a `MessageSink` plays `Fault.PLATFORM_ERROR` as well, a message that it refuses for good; that of a `CourierSink`
plays `COURIER_FAULTS`, that of a `TrackSource` `Fault.DUPLICATE`, a node that is listed twice.

A failed check raises `ConformanceError`, whose `finding` names the defect (`Finding.LOST_PAGE`, ...).

Why a reference daemon inside (`Reader`): whether a page is lost shows only when someone polls, commits, crashes at any
page boundary, restarts from the stored mark and merges by version, exactly as the daemon does.
"""

from erpsync.sdk.testing.checks import audit, checks_for
from erpsync.sdk.testing.findings import ConformanceError, Finding
from erpsync.sdk.testing.harness import Harness
from erpsync.sdk.testing.reader import Crash, Reader
from erpsync.sdk.testing.suite import ConnectorSuite

__all__ = ["ConformanceError", "ConnectorSuite", "Crash", "Finding", "Harness", "Reader", "audit", "checks_for"]
