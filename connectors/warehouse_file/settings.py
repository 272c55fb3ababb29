"""The settings of a warehouse that is run by files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from erpsync.sdk.carriers import CARRIER_MAP, CarrierMap
from erpsync.sdk.folder import READ_FILES, Folder, note_on_read_files
from erpsync.sdk.formulas import FORMULAS, Formulas
from erpsync.sdk.patterns import lying_unread
from erpsync.sdk.roles import ConnectorSettings, ZoneName

PATTERNS = ("*.csv", "*.xlsx", "*.xls")


class WarehouseFileSettings(ConnectorSettings):
    """Where the warehouse's files come from and where ours go."""

    folder: Annotated[Path, Folder()] = Field(
        description="folder in which the warehouse puts shipments-*, stock-* and answers-*, .csv, .xlsx or .xls; "
        "it must exist"
    )
    out_folder: Annotated[Path, Folder(made=True)] = Field(
        description="folder for release-NUMBER.csv and cancel-NUMBER.csv; another one"
    )
    timezone: ZoneName = Field("Asia/Shanghai", description="time zone of instants in files that do not say their own")
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
    def _two_folders(self) -> Self:
        if self.out_folder == self.folder:
            raise ValueError("out_folder must be another folder, or our own files would be read")
        return self
