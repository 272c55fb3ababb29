"""Where on this machine a configuration has files, and whether the user who looks can work there. Changes nothing.

Why it refuses no configuration: a share that is away at a start keeps one shop waiting, and all others go on.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from erpsync.sdk.folder import Folder, unusable
from erpsync.settings.checks import ReadChannel, ReadFile, ReadMain
from erpsync.settings.config import Config, key_file, sqlite_file
from erpsync.settings.problems import Findings, Problem
from erpsync.settings.problems import Path as Keys
from erpsync.settings.tree import locate

DATABASE = "database"


def folders(config: Config) -> list[tuple[str, Path]]:
    """Return (what for, folder) of an SQLite database and of every path in the settings of enabled channels."""
    folders_used = [] if config.sqlite_file is None else [(DATABASE, config.sqlite_file.parent)]
    for channel in config.channels:
        if channel.enabled:
            paths = (value for value in vars(channel.settings).values() if isinstance(value, Path))
            folders_used += [(channel.id, path) for path in paths]
    return folders_used


def unusable_folders(base: Path, main: ReadMain, channels: Sequence[ReadChannel]) -> tuple[Problem, ...]:
    """Return what this user cannot work in: the database's folder and files, folders of enabled channels.

    Args:
        base: the folder that a relative database lies in.
    """
    problems = [_problem(main, ("database",), text) for text in _of_database(base, main)]
    for channel in channels:
        if channel.model is not None and channel.model.enabled:
            problems += [_problem(channel, ("settings", key), text) for key, text in _of_settings(channel)]
    return tuple(problems)


def _problem(file: ReadFile, path: Keys, text: str) -> Problem:
    findings = Findings(file.findings.file)
    findings.add(locate(file.node, path)[1] if file.node is not None else (1, 1), path, text)
    return findings.found[0]


def _of_database(base: Path, main: ReadMain) -> Iterator[str]:
    file = None if main.model is None else sqlite_file(main.model.database, base)
    if main.model is None or file is None:
        return
    if text := unusable(file.parent, made=True):
        yield text
        return
    if file.exists() and not (file.is_file() and os.access(file, os.R_OK | os.W_OK)):
        yield f"{file} cannot be read and written by this user" if file.is_file() else f"{file} is no file"
    keys = key_file(file)
    if main.model.privacy is None and keys.exists() and not os.access(keys, os.R_OK):
        yield f"the key file {keys} cannot be read by this user"


def _of_settings(channel: ReadChannel) -> Iterator[tuple[str, str]]:
    if channel.settings is None:
        return
    for key, field in type(channel.settings).model_fields.items():
        folder = getattr(channel.settings, key, None)
        marks = [mark for mark in field.metadata if isinstance(mark, Folder)]
        if marks and isinstance(folder, Path) and (text := unusable(folder, made=marks[0].made)):
            yield field.alias or key, text
