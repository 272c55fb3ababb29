"""Goods: stock by SKU and warehouse, one SKU, listings and the SKUs they are tied to, bundles."""
