"""Order and stock synchronisation between sales channels and the seller's stock."""

__version__ = "0.1.0"
