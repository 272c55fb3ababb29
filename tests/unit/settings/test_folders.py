"""Where a configuration has files on this machine."""

from pathlib import Path

from erpsync.settings import installed, load
from erpsync.settings.folders import folders

FOLDER = Path(__file__).parents[3] / "config"


def test_the_database_and_the_folders_of_enabled_channels_are_named_and_no_others() -> None:
    example = load(FOLDER, registry=installed(), environ={}).require()

    assert folders(example) == [
        ("database", FOLDER / "var"),
        ("drop-folder", FOLDER / "var/drop/in"),
        ("drop-folder", FOLDER / "var/drop/out"),
    ]
