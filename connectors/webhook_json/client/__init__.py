"""Signatures of both directions, and the calls to the shop's `push_url`."""
