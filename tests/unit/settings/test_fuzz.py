"""Whatever stands in a file: never a traceback, and each refusal names a line of it."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from erpsync.settings import Registry, load
from erpsync.settings.bind import Binder
from erpsync.settings.models import ChannelFile, MainFile
from erpsync.settings.problems import Findings
from erpsync.settings.secrets import Sources
from erpsync.settings.tree import parse
from tests.unit.settings.builders import CHANNEL, MAIN, MarketSettings, registry, write

GOOD = f"""\
database: sqlite:///var/erpsync.db
timezone: Asia/Shanghai
web: {{listen: 127.0.0.1:8686}}
{MAIN}runtime: {{stop_s: 5}}
privacy: {{keys: [!cred a, "${{B}}"], index_key: !file secret, retention_days: 180}}
defaults:
  poll: &poll {{orders_s: 30, refunds_s: 60}}
  stock: {{warehouses: [SH, GZ], brake: {{zero_share: 0.3}}}}
"""
SHOP = (
    CHANNEL
    + """\
poll: {orders_s: 30}
orders: {reserve: payment, number: "S{yyyymmdd}{seq:06}"}
stock:
  push: true
  warehouses:
    - SH
"""
)
CHARS = "\t\n :{}[]'\"#>|?%@`\\"
SYNTAX = [*CHARS, ": ", "- ", "&a ", "*a", "${", "${X}", "---\n", "...\n", "<<: ", "!file ", "!cred ", "!!int "]
VALUES = ["~", "null", "yes", "1e999", "-1", "9" * 30, "0x", "0o8", ".nan", "warehouses", "上", "😀"]
ODDITIES = ["\0", "\x7f", "\x85", "\u2028", "\ufeff", "\ud7ff"]
SHARDS = st.sampled_from([*SYNTAX, *VALUES, *ODDITIES])


@st.composite
def mutated(draw: st.DrawFn, text: str) -> bytes:
    """Return the text with a few places overwritten, cut out, doubled or filled with something odd."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        shard = draw(st.one_of(SHARDS, st.just(text[start:end] * 2), st.text(max_size=3)))
        text = text[:start] + shard + text[end:]
    data = text.encode("utf-8", "surrogatepass")
    return data if draw(st.integers(0, 9)) else data[:-1] + b"\xff"


def names_places(data: bytes, found: Findings) -> bool:
    lines = len(data.decode(errors="replace").splitlines()) + 1
    return all(1 <= each.line <= lines and each.column >= 1 and str(each).isprintable() for each in found.found)


@settings(max_examples=300, deadline=None)
@given(mutated(GOOD))
def test_a_mutated_main_file_is_read_or_refused_with_a_place(data: bytes) -> None:
    found = Findings("erpsync.yaml")
    node = parse(data, found)
    model = Binder(found, Sources(Path("nowhere"), {"B": "x"})).bind(node, MainFile) if node else None

    assert names_places(data, found)
    assert model is not None or found.failed


@settings(max_examples=300, deadline=None)
@given(data=mutated(SHOP), lenient=st.booleans())
def test_a_mutated_channel_file_is_read_or_refused_with_a_place(*, data: bytes, lenient: bool) -> None:
    found = Findings("channels/shop.yaml")
    node = parse(data, found)
    binder = Binder(found, Sources(Path("nowhere"), {}), secrets=not lenient, lenient=lenient)
    models = [binder.bind(node, model) for model in (ChannelFile, MarketSettings)] if node else [None]

    assert names_places(data, found)
    assert None not in models or found.failed


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(main=mutated(GOOD), shop=mutated(SHOP), secrets=st.booleans())
def test_a_mutated_folder_gives_a_configuration_or_problems(
    *, tmp_path: Path, main: bytes, shop: bytes, secrets: bool
) -> None:
    result = load(write(tmp_path, main, shop=shop), registry=registry(), environ={}, secrets=secrets)

    assert (result.config is None) == bool(result.problems)
    assert all(problem.severity == "error" for problem in result.problems)


def test_an_empty_registry_still_gives_an_answer(tmp_path: Path) -> None:
    result = load(write(tmp_path, shop=CHANNEL), registry=Registry({}), environ={})

    assert [problem.text for problem in result.problems] == ["no connector 'market'; installed are none"]
