"""`python -m tests.mutants.server`: runs tests of the checkout it stands in, once for each line it is given.

Why a server: what the tests import costs more than most of them. Each run is a fork that has all of it.
"""

import importlib
import os
import resource
import sys

import pytest

IMPORTED = (
    "alembic.command",
    "cryptography.fernet",
    "fastapi",
    "hypothesis.strategies",
    "psycopg",
    "pydantic",
    "requests",
    "responses",
    "rich.console",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "structlog",
    "yaml",
)
MEMORY = 4 << 30
PYTEST = ("-x", "-q", "-n0", "--dialect", "sqlite", "-p", "no:cacheprovider", "--assert=plain", "--basetemp=.tests")


def tested(within_s: int, tests: list[str]) -> tuple[int, float]:
    """Return how tests ended in a process of their own, below 0 where it was killed, and its seconds of CPU.

    Those are limited and not the time of the clock: a busy machine makes no test endless. Only without a limit does
    Python keep what it compiles; it would take a mutant of the same second and size for the one before.
    """
    child = os.fork()
    if child == 0:
        if within_s:
            resource.setrlimit(resource.RLIMIT_CPU, (within_s, within_s))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            sys.dont_write_bytecode = True
            os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, sys.stdout.fileno())
        os.dup2(quiet, sys.stderr.fileno())
        os._exit(pytest.main([*PYTEST, *tests]))
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime


def main() -> None:
    """Answer each line, `SECONDS TEST...` (0 is no limit), with `CODE SECONDS`."""
    for name in IMPORTED:
        importlib.import_module(name)
    for line in sys.stdin:
        within_s, *tests = line.split()
        print(*tested(int(within_s), tests), flush=True)


if __name__ == "__main__":
    main()
