"""Connectors of others, installed as their users would: a folder beside, found by its entry point, tested there."""

import os
import re
import subprocess
import sys
from pathlib import Path


def install(source: Path, site: Path, *, python: Path | str = sys.executable) -> None:
    """Build a distribution and install it into a folder of its own; nothing is fetched."""
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-index"]
    command = [*pip, "--no-build-isolation", "--no-compile", "--target", str(site), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def environment(site: Path, home: Path) -> dict[str, str]:
    """Return an environment that knows nothing but what was installed there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ERPSYNC")}
    return {**kept, "PYTHONPATH": str(site), "HOME": str(home)}


def passed(source: Path, site: Path, home: Path, *, python: Path | str = sys.executable) -> int:
    """Run a distribution's own tests on it as it was installed, none of them skipped; return how many passed."""
    command = [str(python), "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={source}", "tests"]
    done = subprocess.run(command, cwd=source, env=environment(site, home), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
    return int(re.findall(r"(\d+) passed", done.stdout)[0])
