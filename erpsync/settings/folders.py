"""Where on this machine a configuration has files: the database, and what connectors name as paths."""

from pathlib import Path

from erpsync.settings.config import Config

DATABASE = "database"


def folders(config: Config) -> list[tuple[str, Path]]:
    """Return (what for, folder) of an SQLite database and of every path in the settings of enabled channels."""
    found = [] if config.sqlite_file is None else [(DATABASE, config.sqlite_file.parent)]
    for channel in config.channels:
        if channel.enabled:
            paths = (value for value in vars(channel.settings).values() if isinstance(value, Path))
            found += [(channel.id, path) for path in paths]
    return found
