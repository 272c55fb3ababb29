"""The settings of a drop folder and the layout of its files that follows from them.

Why a `Layout` beside the settings: profile, own columns and constants are merged once, and the mapping sees only the
result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from connectors.csv_drop.profiles import (
    GENERIC,
    ORDER_FIELDS,
    PROFILES,
    SHIPMENT_FIELDS,
    SHIPMENTS,
    Profile,
    RefundWord,
    status_key,
)
from erpsync.sdk.carriers import CARRIER_MAP, CarrierMap
from erpsync.sdk.folder import READ_FILES, Folder, note_on_read_files
from erpsync.sdk.formulas import FORMULAS, Formulas
from erpsync.sdk.money import CURRENCIES
from erpsync.sdk.patterns import lying_unread
from erpsync.sdk.roles import ConnectorSettings, ZoneName
from erpsync.sdk.sheets import Columns, tidy
from erpsync.sdk.types import OrderState

FieldName = Literal[
    "external_id", "line_id", "status", "updated_at", "placed_at", "paid_at", "channel_sku", "title", "qty", "price",
    "total", "paid", "refunded", "freight", "discount", "currency", "recipient", "phone", "province", "city",
    "district", "address", "buyer", "buyer_note", "seller_note", "seller_flag", "properties", "refund_status", "order",
    "carrier", "tracking",
]  # fmt: skip
_NEEDED = {"orders": ("external_id", "channel_sku", "qty"), "shipments": ("order", "carrier", "tracking")}
_EXACT = {
    "orders": frozenset({"external_id", "line_id", "channel_sku", "phone"}),
    "shipments": frozenset({"order", "tracking", "line_id"}),
}
OWN_FIELDS = ("status", "currency")
"""Fields of an order that are never guessed where its file has a column for them."""
_SAMPLE = datetime(2021, 11, 23, tzinfo=UTC)


def _text(value: Any) -> Any:
    """Return a YAML number as the text it stands for."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _headers(value: Any) -> Any:
    """Return one header as a list of one."""
    return [_text(item) for item in value] if isinstance(value, list | tuple) else [_text(value)]


Text = Annotated[str, BeforeValidator(_text)]
Headers = Annotated[tuple[str, ...], Field(min_length=1), BeforeValidator(_headers)]


class CsvDropSettings(ConnectorSettings):
    """Where files come from, how they are to be read and where answers go."""

    folder: Annotated[Path, Folder()] = Field(description="folder in which the files are dropped; it must exist")
    pattern: Headers = Field(
        ("*.csv", "*.xlsx", "*.xls"),
        description="which names are read (one pattern or a list), as in a shell; case does not count",
    )
    sheet: str = Field("", description="which sheet of a workbook is read, where it has several")
    reads: Literal["orders", "shipments"] = Field("orders", description="what the files hold")
    out_folder: Annotated[Path | None, Folder(made=True)] = Field(
        None, description="folder for stock and shipment files; nothing is written without it"
    )
    encoding: Literal["auto", "utf-8", "gb18030", "utf-16"] = Field(
        "auto", description="encoding of the files; auto finds it out per file, and files going out are UTF-8"
    )
    timezone: ZoneName = Field("Asia/Shanghai", description="time zone of instants that do not say their own")
    rows: Literal["lines", "orders"] = Field("lines", description="whether a row is an order line or a whole order")
    whole: bool = Field(
        False,
        description="whether a file holds every line of its orders, so that one which is missing is cancelled; "
        "with `rows: orders` it does",
    )
    fill_down: bool = Field(
        False, description="whether a row without an order number belongs to the order of the row above"
    )
    columns: dict[FieldName, Headers] = Field(
        default_factory=dict, description="header (or list of possible headers) for each field"
    )
    constants: dict[FieldName, Text] = Field(
        default_factory=dict, description="value of a field where the file has no column or an empty cell for it"
    )
    status_map: dict[Text, OrderState] = Field(
        default_factory=dict, description="what each status text means: unpaid, paid, shipped, completed or cancelled"
    )
    refund_status_map: dict[Text, RefundWord] = Field(
        default_factory=dict,
        description="what each text of refund_status means: none, open, closed, granted or decided (closed or granted, "
        "whichever); any other text counts as open",
    )
    discount_skus: tuple[Text, ...] = Field(
        (), description="seller codes of rows that are coupons: an amount below zero is a discount of the order"
    )
    carrier_map: CarrierMap = Field(default_factory=dict, description=CARRIER_MAP)
    datetime_formats: tuple[str, ...] = Field(
        (), description="formats of instants as in Python's strptime, tried in order before the usual ones"
    )
    settle_s: float = Field(2, ge=0, le=3600, description="seconds a file must have been left alone to count as whole")
    read_files: Literal["keep", "remove"] = Field("keep", description=READ_FILES)
    formulas: Formulas = Field("escape", description=FORMULAS)
    profile: Literal["generic", "taobao", "jd", "pdd", "douyin"] | None = Field(
        None, description="preset of columns and status texts; generic expects the field names as headers"
    )

    def unread_files(self) -> str:
        """Return which files of the folder fit no pattern."""
        return lying_unread(self.folder, self.pattern)

    def notes(self) -> Mapping[str, str]:
        """Say that read files stay, as long as nobody has decided."""
        return note_on_read_files(self)

    @field_validator("datetime_formats")
    @classmethod
    def _whole_dates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for form in value:
            if not _carries_date(form):
                raise ValueError(f"{form!r} does not carry a whole date")
        return value

    @model_validator(mode="after")
    def _enough_columns(self) -> Self:
        fields = ORDER_FIELDS if self.reads == "orders" else SHIPMENT_FIELDS
        if odd := [name for name in (*self.columns, *self.constants) if name not in fields]:
            raise ValueError(f"files of {self.reads} have no {odd[0]!r}; their fields are {', '.join(fields)}")
        if (currency := self.constants.get("currency", "CNY").upper()) not in CURRENCIES:
            raise ValueError(f"there is no currency {currency[:3]!r}")
        if self.out_folder == self.folder:
            raise ValueError("out_folder must be another folder, or our own files would be read")
        layout = layout_of(self)
        there = {*layout.columns, *layout.constants}
        if lacking := [name for name in _NEEDED[self.reads] if name not in there]:
            raise ValueError(f"columns (or constants) must say where {' and '.join(lacking)} stand")
        if self.reads == "orders" and not there & {"price", "total"}:
            raise ValueError("columns (or constants) must say where price or total stand")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a file is to be read.

    Args:
        columns: possible headers by field.
        demanded: fields that a file must have a column for.
        sought: what tells a file's header, ids and sums.
        whole: whether a file holds every line of an order.
    """

    columns: Mapping[str, tuple[str, ...]]
    demanded: frozenset[str]
    constants: Mapping[str, str]
    status_map: Mapping[str, OrderState]
    refund_status_map: Mapping[str, RefundWord]
    datetime_formats: tuple[str, ...]
    zone: ZoneInfo
    row_is_order: bool
    sought: Columns
    sheet: str = ""
    whole: bool = False
    fill_down: bool = False
    discount_skus: frozenset[str] = frozenset()
    carrier_map: Mapping[str, str] = field(default_factory=dict)

    def header_of(self, name: str, headers: Mapping[str, Any]) -> str | None:
        """Return the first header for a field that is among `headers`."""
        return next((header for header in self.columns.get(name, ()) if header in headers), None)


def layout_of(settings: CsvDropSettings) -> Layout:
    """Return the layout that `settings` describe: profile first, then what the operator named.

    Columns the operator named must be in every file: a renamed header fails the file instead of quietly emptying
    the field. A profile's columns may be missing, except those an order cannot do without. Without `columns` and
    `profile` the headers are the field names.
    """
    profile = _profile_of(settings)
    own: dict[str, tuple[str, ...]] = {
        name: tuple(tidy(header) for header in headers) for name, headers in settings.columns.items()
    }
    preset = {name: headers for name, headers in profile.columns.items() if name not in settings.constants}
    columns: dict[str, tuple[str, ...]] = {**preset, **own}
    needed = {name for name in _NEEDED[settings.reads] if name in columns and name not in settings.constants}
    return Layout(
        columns=columns,
        demanded=frozenset({*own, *needed}),
        constants={str(name): value for name, value in settings.constants.items()},
        status_map=_states(profile, settings),
        refund_status_map=_refund_words(profile, settings),
        datetime_formats=(*settings.datetime_formats, *profile.datetime_formats),
        zone=ZoneInfo(settings.timezone),
        row_is_order=settings.rows == "orders",
        sought=Columns(headers=columns, demanded=frozenset(needed), exact=_EXACT[settings.reads]),
        sheet=settings.sheet,
        whole=settings.whole or settings.rows == "orders",
        fill_down=settings.fill_down,
        discount_skus=frozenset(settings.discount_skus),
        carrier_map=settings.carrier_map,
    )


def _profile_of(settings: CsvDropSettings) -> Profile:
    if settings.reads == "shipments":
        return SHIPMENTS
    if settings.profile:
        return PROFILES[settings.profile]
    return Profile(columns={}) if settings.columns else GENERIC


def _states(profile: Profile, settings: CsvDropSettings) -> dict[str, OrderState]:
    """Return states by case-folded text; our own words always count."""
    words: dict[str, OrderState] = {state.value: state for state in OrderState}
    return {status_key(text): state for text, state in {**words, **profile.status_map, **settings.status_map}.items()}


def _refund_words(profile: Profile, settings: CsvDropSettings) -> dict[str, RefundWord]:
    """Return what texts about refunds mean, case-folded; our own words always count."""
    words: dict[str, RefundWord] = {word: word for word in get_args(RefundWord)}
    texts = {**words, **profile.refund_status_map, **settings.refund_status_map}
    return {status_key(text): word for text, word in texts.items()}


def _carries_date(form: str) -> bool:
    try:
        return datetime.strptime(_SAMPLE.strftime(form), form).replace(tzinfo=UTC) == _SAMPLE
    except ValueError:
        return False
