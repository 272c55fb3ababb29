"""Text that no database takes, made into text that every one does.

Why at all: a platform that cuts a name after so many units sends half an emoji (a lone surrogate, which UTF-8 cannot
hold), and JSON may hold a NUL (which PostgreSQL cannot). Neither may cost an order.
"""

import json
import re
from typing import Any

_ODD = re.compile("[\x00\ud800-\udfff]")
_MAY_BE_ODD = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\xed[\xa0-\xbf]")


_NUL_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def holds_nul(body: bytes) -> bool:
    """Return whether a body of JSON, or of any other text, says U+0000 anywhere, as itself or escaped."""
    if b"\0" not in body and b"u0000" not in body:
        return False
    try:
        text = body.decode(json.detect_encoding(body), "surrogatepass")  # UTF-16 is full of zero bytes that are none
    except UnicodeDecodeError:
        return b"\0" in body
    return "\0" in text or _NUL_ESCAPE.search(text) is not None


def storable(text: str) -> str:
    """Return the text with U+FFFD for every half character and every NUL."""
    return _ODD.sub("\ufffd", text)


def read_json(body: bytes) -> Any:
    """Return a body read as JSON with `storable` text throughout; raises `ValueError` where it is none."""
    document = json.loads(body, parse_constant=_refuse_constant)
    return _storable_json(document) if _MAY_BE_ODD.search(body) else document


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _storable_json(document: Any) -> Any:
    if isinstance(document, str):
        return storable(document)
    if isinstance(document, list):
        return [_storable_json(each) for each in document]
    if isinstance(document, dict):
        return {storable(key): _storable_json(value) for key, value in document.items()}
    return document


def quoted(text: str) -> str:
    """Return what an error may quote of a cell: a short number. Where columns have shifted, all else may be a person's.

    Begins with ", is ", empty when nothing may be quoted.
    """
    short = re.fullmatch(r"[-+.,0-9¥￥$]{1,12}", text) and sum(char.isdigit() for char in text) < 7
    return f", is {text}" if short else ""


def cut_to(text: str) -> str:
    """Return to what a spreadsheet program cut a number, as " to 1.23E+17"; empty where a phone might be told."""
    return f" to {text}" if re.fullmatch(r"[-+]?\d(?:[.,]\d{1,3})?[Ee]\+\d+", text) else ""
