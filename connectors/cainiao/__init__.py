"""Electronic waybills of many couriers through Cainiao, on the Taobao Open Platform (TOP)."""
