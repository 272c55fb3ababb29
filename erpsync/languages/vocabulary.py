"""Which values inside sentences are words of ours and not somebody's data.

Why by the place's name: a shop, a SKU or a file may be called `open` or `held`, and must never be shown under another
name. Where a place of one of these names holds a single word, we wrote it.
"""

OWN_WORDS = frozenset(
    {
        "about",
        "done",
        "hold_reason",
        "how",
        "instead",
        "kind",
        "left",
        "noun",
        "ours",
        "phase",
        "reason",
        "refusal",
        "rest",
        "scope",
        "severity",
        "state",
        "status",
        "stream",
        "waiting_for",
        "waits",
        "what",
        "where",
        "which",
        "who",
        "whose",
        "why",
        "word",
    }
)
"""Names of places, and of variables, that hold words of ours."""

UNTOUCHED = frozenset(
    {"actor", "bundle", "channel", "channel_sku", "code", "config", "connector", "external_id", "file", "folder", "id"}
    | {"key", "name", "number", "option", "order", "path", "place", "place_2", "prog", "sku", "tracking", "warehouse"}
)
"""Names of places whose values are shown as they are, whatever they look like."""
