"""What is wrong with a form of an own order, in words for whoever sent it: its first wrong field, never what it held.

Why a table of own texts: pydantic writes for the developer of the model and in English only; and a value that is wrong
may be personal all the same.
"""

from collections.abc import Mapping

from pydantic import ValidationError

_TEXTS: Mapping[str, str] = {
    "missing": "must be given",
    "extra_forbidden": "there is no such field",
    "string_type": "must be text",
    "string_unicode": "must be text",
    "string_too_short": "must not be empty",
    "string_too_long": "must be at most {max_length} characters long",
    "too_short": "must not be empty",
    "too_long": "must have {max_length} entries at most",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "list_type": "must be a list",
    "model_type": "must be a JSON object",
    "value_error": "{error}",
}


def first_wrong(error: ValidationError) -> str:
    """Return the path of the first wrong field, what is wrong with it, and how many more are wrong."""
    found = error.errors(include_url=False, include_input=False)
    first, more = found[0], len(found) - 1
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    what = _TEXTS.get(first["type"], "cannot be taken").format_map(first.get("ctx", {}))
    return f"{where}: {what} (and {more} more)" if more else f"{where}: {what}"
