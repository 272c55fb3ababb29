"""Workbooks made by hand, so that a test may write one that no program would."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

_NS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_EPOCH = datetime(1899, 12, 30)
Cell = str | int | float | datetime | None


def xlsx(*rows: Sequence[Cell], sheets: Mapping[str, Sequence[Sequence[Cell]]] | None = None) -> bytes:
    """Return a workbook of one sheet with `rows`, or of `sheets` by name; text is text, numbers are numbers."""
    made = sheets or {"Sheet1": rows}
    return package({name: sheet_xml(each) for name, each in made.items()})


def package(sheets: Mapping[str, str]) -> bytes:
    """Return a workbook of sheets as XML."""
    numbered = list(enumerate(sheets.items(), start=1))
    listed = "".join(f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>' for n, (name, _) in numbered)
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_RELS}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in numbered
    )
    related += f'<Relationship Id="rId0" Type="{_RELS}/styles" Target="styles.xml"/>'
    main = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    files = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        f'<Default Extension="xml" ContentType="{main}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_NS}" xmlns:r="{_RELS}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{related}</Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_NS}"><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>'
        "</styleSheet>",
    }
    files |= {f"xl/worksheets/sheet{n}.xml": xml for n, (_, xml) in numbered}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def sheet_xml(rows: Sequence[Sequence[Cell]]) -> str:
    """Return a sheet of these rows."""
    told = "".join(
        f'<row r="{r}">{"".join(_cell(r, c, value) for c, value in enumerate(row) if value is not None)}</row>'
        for r, row in enumerate(rows, start=1)
    )
    return f'<worksheet xmlns="{_NS}"><sheetData>{told}</sheetData></worksheet>'


def _cell(row: int, column: int, value: Cell) -> str:
    at = f"{chr(ord('A') + column)}{row}"
    if isinstance(value, str):
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    if isinstance(value, datetime):
        return f'<c r="{at}" s="1"><v>{(value - _EPOCH).total_seconds() / 86_400!r}</v></c>'
    return f'<c r="{at}"><v>{value!r}</v></c>'
