"""Fixtures of the whole suite: a fresh database per test, on each dialect the product supports."""

import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.support import postgres, speed, statements

pytest_plugins = ("tests.support.stress",)

speed.keep_files_in_memory()
speed.compile_statements_once()
# A run that a script begins in the background ignores Ctrl-C, and its processes would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

DIALECTS = ("sqlite", "postgresql")
TEMPLATE = "migrated"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("erpsync")
    group.addoption("--dialect", choices=DIALECTS, help="run database tests on this dialect only")
    group.addoption("--no-postgres", action="store_true", help="leave out every test that needs PostgreSQL")


def pytest_configure(config: pytest.Config) -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None:
        statements.begin_anew()
    if worker is not None or not config.getoption("numprocesses", None):
        statements.Recorder(worker or "main").listen()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    only = config.getoption("dialect") or os.environ.get("ERPSYNC_TEST_DIALECT")
    unwanted = {dialect for dialect in DIALECTS if only and dialect != only}
    if config.getoption("no_postgres"):
        unwanted.add("postgresql")
    dropped = [item for item in items if any(item.get_closest_marker(dialect) for dialect in unwanted)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in set(dropped)]


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Let no test inherit another's log: who captures records leaves structlog configured, and commands then print."""
    yield
    structlog.reset_defaults()


@pytest.fixture(params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in DIALECTS])
def dialect(request: pytest.FixtureRequest) -> str:
    """The database the test runs on; a test that asks for it runs once on each."""
    return request.param


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """One PostgreSQL server per worker, started by the first test that wants it."""
    try:
        postgres.find_binaries()
    except postgres.PostgresUnavailableError as error:
        if os.environ.get("ERPSYNC_REQUIRE_POSTGRESQL"):
            raise
        pytest.skip(str(error))
    with postgres.serve() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: postgres.Server) -> str:
    """Name of a database with the tables of this version, to be copied and never written to."""
    _migrate(postgres_server.create(TEMPLATE))
    return TEMPLATE


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the tables of this version, to be copied and never written to."""
    path = tmp_path_factory.mktemp("migrated") / "erpsync.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_file(migrated_sqlite: Path, tmp_path: Path) -> Path:
    """An SQLite file with the tables of this version and no rows, this test's own."""
    return Path(shutil.copy(migrated_sqlite, tmp_path))


def _migrate(url: str) -> None:
    from erpsync.store.db.engine import make_engine
    from erpsync.store.db.schema import migrate

    engine = make_engine(url)
    try:
        migrate(engine)
    finally:
        engine.dispose()


@pytest.fixture
def empty_database_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without tables, this test's own."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'erpsync.db'}"
    else:
        yield from _own_database(request.getfixturevalue("postgres_server"), "template0")


@pytest.fixture
def database_url(dialect: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a database with the tables of this version and no rows, this test's own."""
    if dialect == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('sqlite_file')}"
    else:
        template = request.getfixturevalue("migrated_postgres")
        yield from _own_database(request.getfixturevalue("postgres_server"), template)


def _own_database(server: postgres.Server, template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    yield server.create(name, template=template)
    server.drop(name)
