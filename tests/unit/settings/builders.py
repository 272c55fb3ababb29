"""A small platform's settings, and folders of configuration written for one test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from erpsync.sdk.roles import Connector, ConnectorSettings
from erpsync.sdk.types import CheckReport
from erpsync.settings import Config, Loaded, Registry, load

MAIN = "warehouses: [{id: SH}, {id: GZ}, {id: QC, sellable: false}]\n"
CHANNEL = "id: shop\nconnector: market\nsettings: {app_key: k, app_secret: !file secret}\n"


class Header(ConnectorSettings):
    header: str
    encoding: Literal["hex", "base64"] = "hex"


class MarketSettings(ConnectorSettings):
    app_key: str = Field(description="name of the app")
    app_secret: SecretStr = Field(min_length=4, description="signs every call")
    tokens: tuple[SecretStr, ...] = ()
    gateway: str = Field("https://market.test/rest", pattern="^https?://")
    folder: Path | None = None
    retries: int = Field(3, ge=0)
    signature: Literal["standard"] | Header = "standard"
    columns: dict[Literal["price", "qty"], list[str]] = Field(default_factory=dict)
    words: dict[str, str] = Field(default_factory=dict)

    @field_validator("gateway")
    @classmethod
    def _no_test_gateway(cls, value: str) -> str:
        if "forbidden" in value:
            raise ValueError(f"{value} is not for shops")
        return value


class Market(Connector):
    Settings = MarketSettings

    def check(self) -> CheckReport:
        return CheckReport()


def registry() -> Registry:
    return Registry.of({"market": Market})


def write(folder: Path, main: str | bytes = MAIN, **channels: str | bytes) -> Path:
    """Write erpsync.yaml, `channels/NAME.yaml` for each channel and the file `secret`; return the folder."""
    (folder / "channels").mkdir(parents=True, exist_ok=True)
    (folder / "secret").write_text("s3cret-value\n")
    for name, text in {"erpsync": main, **{f"channels/{name}": text for name, text in channels.items()}}.items():
        (folder / f"{name}.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def loaded(folder: Path, environ: Mapping[str, str] | None = None, *, secrets: bool = True) -> Loaded:
    return load(folder, registry=registry(), environ=environ or {}, secrets=secrets)


def config(folder: Path, main: str = MAIN, environ: Mapping[str, str] | None = None, **channels: str) -> Config:
    return loaded(write(folder, main, **channels), environ).require()


def problems(folder: Path, result: Loaded) -> list[str]:
    """Return the problems as they are printed, less the folder."""
    return [str(problem).removeprefix(f"{folder}/") for problem in result.problems]


def notes(folder: Path, result: Loaded) -> list[str]:
    """Return warnings and notes as they are printed, less the folder; the usual word on keys is left out."""
    said = [note for note in result.notes if not note.text.startswith("no encryption keys given")]
    return [f"{note.severity}: " + str(note).removeprefix(f"{folder}/") for note in said]
