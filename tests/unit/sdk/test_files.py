"""Files for others: whole or not at all, and nobody is told that one is not there when it may be."""

import errno
import stat
from pathlib import Path, PosixPath

import pytest

from erpsync.sdk.files import NamedFileError, write_new, write_whole


class SilentFolder(PosixPath):
    """A path on a folder that renames and does not get to say so, as over a network."""

    def rename(self, target: Path) -> Path:  # type: ignore[override]
        super().rename(target)
        raise OSError(errno.EIO, "Input/output error", str(self))


def test_a_file_is_there_whole_and_no_other(tmp_path: Path) -> None:
    write_whole(tmp_path / "made" / "a.csv", b"1")
    write_whole(tmp_path / "made" / "a.csv", b"2")

    assert [(path.name, path.read_bytes()) for path in (tmp_path / "made").iterdir()] == [("a.csv", b"2")]


def test_a_file_of_names_and_addresses_is_for_its_owner_alone(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.csv", b"1", mode=0o600)

    assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o600


@pytest.mark.parametrize("write", [write_whole, write_new])
def test_a_rename_that_was_done_without_a_word_is_told_from_one_that_was_not(tmp_path: Path, write: object) -> None:
    assert callable(write)
    with pytest.raises(NamedFileError) as raised:
        write(SilentFolder(tmp_path / "a.csv"), b"1")
    assert (raised.value.errno, (tmp_path / "a.csv").read_bytes()) == (errno.EIO, b"1")

    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "x").touch()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "folder", b"1")
