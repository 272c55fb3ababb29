"""Rows of text into orders and shipment reports: pure, so a dead letter can be tried again after a setting changed."""
