"""Benchmarks: what the product does in a second beside what the bare driver can. They measure and assert nothing."""
