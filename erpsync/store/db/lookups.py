"""Asking row by row whether there is something that belongs to it.

Why not EXISTS: outside of a plain condition (in a list of columns, a CASE, an OR) PostgreSQL may answer that for all
rows at once, by one walk over the other table, however few rows are asked about and however long the other's history.
"""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select


def has(query: Select[Any], *, of: FromClause) -> ColumnElement[bool]:
    """Return the condition that a row of `of` has any row of a query, which names a column that is never null."""
    return query.correlate(of).limit(1).scalar_subquery().is_not(None)
