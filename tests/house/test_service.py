"""The systemd unit starts, stops and confines the daemon as promised."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.sources import ROOT

UNIT = ROOT / "erpsync.service"
EXPOSURE_TENTHS = 15

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed (apt install systemd)"
)


def directives(name: str) -> list[str]:
    """Return the values of a directive in the order they stand."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Type", "notify"),  # Debian 12's systemd 252 does not know notify-reload
        ("NotifyAccess", "main"),
        ("WatchdogSec", "30"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("Restart", "on-failure"),
        ("RestartPreventExitStatus", "78"),
        ("StateDirectory", "erpsync"),
        ("ConfigurationDirectory", "erpsync"),
        ("User", "erpsync"),
        ("UMask", "0077"),
    ],
)
def test_the_unit_says(name: str, value: str) -> None:
    assert directives(name) == [value]


def test_the_configuration_is_checked_before_every_start() -> None:
    (command,) = directives("ExecStartPre")

    assert command.endswith("erpsync --config /etc/erpsync check")


def test_the_encryption_keys_come_as_credentials() -> None:
    assert directives("LoadCredential") == ["pii-1", "pii-index"]


@needs_systemd
def test_systemd_rates_the_unit_as_hardly_exposed() -> None:
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_TENTHS}", UNIT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text(encoding="utf-8").replace("/opt/erpsync/bin/erpsync", "/bin/true"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False)

    assert [line for line in done.stderr.splitlines() if UNIT.name in line] == []
