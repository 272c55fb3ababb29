"""The settings of a courier that is spoken to by files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from erpsync.sdk.carriers import CARRIER_MAP, CarrierCode, CarrierMap
from erpsync.sdk.folder import READ_FILES, Folder, note_on_read_files
from erpsync.sdk.formulas import FORMULAS, Formulas
from erpsync.sdk.money import CURRENCIES
from erpsync.sdk.patterns import lying_unread
from erpsync.sdk.roles import ConnectorSettings

PATTERNS = ("*.csv", "*.xlsx", "*.xls")


class CarrierFileSettings(ConnectorSettings):
    """Where the courier's files come from and where ours go."""

    carriers: tuple[CarrierCode, ...] = Field(
        min_length=1, description="our codes of the couriers that numbers come of; a file names which, if several"
    )
    folder: Annotated[Path, Folder()] = Field(
        description="folder in which numbers are put, waybills-* and spare-*, .csv, .xlsx or .xls; it must exist"
    )
    out_folder: Annotated[Path | None, Folder(made=True)] = Field(
        None, description="folder for booking-KEY.csv and cancel-KEY.csv; without it nothing is booked or written"
    )
    currency: str = Field("CNY", description="currency of costs in the files")
    sheet: str = Field("", description="which sheet of a workbook is read, where it has several")
    carrier_map: CarrierMap = Field(default_factory=dict, description=CARRIER_MAP)
    settle_s: float = Field(2, ge=0, le=3600, description="seconds a file must have been left alone to count as whole")
    read_files: Literal["keep", "remove"] = Field("keep", description=READ_FILES)
    formulas: Formulas = Field("escape", description=FORMULAS)

    def unread_files(self) -> str:
        """Return which files of the folder are none of ours to read."""
        return lying_unread(self.folder, PATTERNS)

    def notes(self) -> Mapping[str, str]:
        """Say that read files stay, as long as nobody has decided."""
        return note_on_read_files(self)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.out_folder == self.folder:
            raise ValueError("out_folder must be another folder, or our own files would be read")
        if self.currency not in CURRENCIES:
            raise ValueError(f"there is no currency {self.currency[:3]!r}")
        return self
