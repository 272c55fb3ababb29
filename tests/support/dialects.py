"""Marks for tests that say something about one of the two databases only; they run once, on that one."""

import pytest


def _only(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("dialect", [pytest.param(name, marks=getattr(pytest.mark, name))], indirect=True)


on_sqlite = _only("sqlite")
on_postgresql = _only("postgresql")
