"""Kuaidi100 (快递100): waybills of many couriers, where parcels are, and calls from it when one moves."""
