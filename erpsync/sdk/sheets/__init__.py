"""The one reader of tables: files of any program into rows of text cells, each with the number of its row.

Why one: a count, a parcel and an order come out of the same spreadsheet programs, so what one reader understands
(encodings, delimiters, ="00123", the word null, workbooks) every other has to as well.
"""

from erpsync.sdk.sheets.cells import amount_of, clean, has_lost_digits, tidy
from erpsync.sdk.sheets.instants import instant
from erpsync.sdk.sheets.reader import Columns, PassedOver, Sheet, open_sheet
from erpsync.sdk.sheets.text import Header, Record
from erpsync.sdk.sheets.workbook import MAX_CELLS, MAX_UNPACKED_BYTES

__all__ = [
    "MAX_CELLS",
    "MAX_UNPACKED_BYTES",
    "Columns",
    "Header",
    "PassedOver",
    "Record",
    "Sheet",
    "amount_of",
    "clean",
    "has_lost_digits",
    "instant",
    "open_sheet",
    "tidy",
]
