"""Files of the warehouse: theirs read as numbered rows, ours written whole."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.folder import Claim, write_whole
from erpsync.sdk.formulas import Formulas, safe_row, unescaped

MAX_BYTES = 64 * 1024 * 1024


def rows_of(claim: Claim, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Return (line, cells by header) of a file in UTF-8 or GB18030. Raises `PayloadError` about the file as a whole."""
    claim.stream.seek(0)
    content = claim.stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise PayloadError(f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB", path="file")
    reader = csv.reader(io.StringIO(_text(content), newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if missing := [name for name in needed if name not in header]:
            raise PayloadError(f"the header has no column {missing[0]}", path="header")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                named = dict(zip(header, (_cell(cell) for cell in cells), strict=False))
                rows.append((reader.line_num, named))
    except csv.Error as error:
        raise PayloadError(f"line {reader.line_num} is no CSV: {error}", path="file") from error
    return rows


def _cell(text: str) -> str:
    """Return a cell without what spreadsheet programs put around text, ="123", and what we put before a formula."""
    text = text.strip()
    return text[2:-1].strip() if text.startswith('="') and text.endswith('"') else unescaped(text)


def _text(content: bytes) -> str:
    """Return the text; a row with U+0000 is refused by itself, see `mapping`."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise PayloadError("the file is neither UTF-8 nor GB18030", path="file")


def write_rows(target: Path, header: Sequence[str], rows: Iterable[Sequence[object]], formulas: Formulas) -> None:
    """Write a CSV file in UTF-8 that appears whole."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(safe_row(row, formulas) for row in rows)
    write_whole(target, text.getvalue().encode("utf-8"))


def file_part(number: str) -> str:
    """Return a number fit for a file name, still different for different numbers."""
    safe = re.sub(r"[^\w.-]", "_", number, flags=re.ASCII)[:100]
    return safe if safe == number else f"{safe}-{digest_of({'number': number})[:8]}"
