"""SF's side, in memory: what the platform does, and what couriers do to parcels."""

from connectors.sf.sandbox.orders import SfOrder
from connectors.sf.sandbox.platform import SfSandbox

__all__ = ["SfOrder", "SfSandbox"]
