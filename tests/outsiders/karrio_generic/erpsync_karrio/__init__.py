"""Karrio, a platform that books with many couriers."""
