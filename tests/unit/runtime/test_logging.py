"""Log records are single lines for machines and people, and nobody's telephone number is in them."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from erpsync.runtime.logging import configure, scrubbed

log = structlog.get_logger("test")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the records go; logging is put back afterwards."""
    root = logging.getLogger()
    before = (root.handlers, root.level)
    target = io.StringIO()
    configure(stream=target, environ={})
    yield target
    structlog.reset_defaults()
    root.handlers, root.level = before


def records(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_json_line_with_time_level_and_event_first(stream: io.StringIO) -> None:
    log.info("poll.done", channel="tmall-flagship", pages=2, note="第一页\n第二页")

    (record,) = records(stream)
    assert list(record) == ["at", "level", "event", "channel", "pages", "note"]
    assert record["at"].endswith("Z")
    assert "第一页" in stream.getvalue()


def test_under_the_journal_a_line_begins_with_its_priority() -> None:
    stream = io.StringIO()
    configure(stream=stream, environ={"JOURNAL_STREAM": "8:12345"})

    log.error("channel.down", channel="jd")
    log.warning("push.retried", channel="jd")
    log.info("poll.done", channel="jd")
    structlog.reset_defaults()

    assert [line[:3] for line in stream.getvalue().splitlines()] == ["<3>", "<4>", "<6>"]
    assert json.loads(stream.getvalue().splitlines()[0][3:])["event"] == "channel.down"


def test_a_terminal_gets_words_and_not_json() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure(stream=stream, environ={})
    log.info("daemon.started", channels=3)
    structlog.reset_defaults()

    assert "daemon.started" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize(
    "text",
    [
        "call 13800138000 now",
        "call +86 138-0013-8000 now",
        "电话１３８００１３８０００",
        "tel 0571-88156688",
        "mail zhang.san@example.com",
        "gave access_token=50a1b2 up",
        "postgresql+psycopg://erp:hunter2@db/erp",
        "failed\n[parameters: {'name': '张三'}]",
        "violates check\nDETAIL:  Failing row contains (张三, 杭州)",
    ],
)
def test_what_looks_personal_is_hidden_wherever_it_stands(stream: io.StringIO, text: str) -> None:
    log.warning("push.retried", error=text)

    (record,) = records(stream)
    del record["at"]  # its digits may be anything
    assert "***" in record["error"]
    for secret in ("13800138000", "0013", "１３８", "88156688", "zhang", "50a1b2", "hunter2", "张三"):
        assert secret not in json.dumps(record, ensure_ascii=False)


def test_order_numbers_stay_as_they_are(stream: io.StringIO) -> None:
    log.info("order.held", order="2067719225654838001", key="13912345678", sku="A-1", error="tid 2067719225654838001")

    (record,) = records(stream)
    assert (record["order"], record["key"]) == ("2067719225654838001", "13912345678")
    assert record["error"] == "tid 2067719225654838001"


@pytest.mark.parametrize(
    "key", ["phone", "recipient", "buyer_name", "address", "access_token", "app_secret", "body", "seller_note"]
)
def test_values_under_personal_keys_are_hidden(stream: io.StringIO, key: str) -> None:
    log.info("order.stored", **{key: "something"})

    assert records(stream)[0][key] == "***"


def test_payloads_never_get_through(stream: io.StringIO) -> None:
    log.info("order.stored", order="1", what={"a": 1}, raw=b"abc")

    assert (records(stream)[0]["what"], records(stream)[0]["raw"]) == ("***", "***")


def test_records_of_libraries_come_the_same_way(stream: io.StringIO) -> None:
    logging.getLogger("urllib3.connectionpool").warning("retrying %s", "https://a:b@host/")
    logging.getLogger("urllib3.connectionpool").info("unheard")

    (record,) = records(stream)
    assert (record["event"], record["level"]) == ("library.logged", "warning")
    assert (record["library"], record["text"]) == ("urllib3.connectionpool", "retrying https://***@host/")


def test_a_stream_that_is_gone_takes_no_work_down_with_it() -> None:
    stream = io.StringIO()
    configure(stream=stream, environ={})
    stream.close()

    log.info("poll.done", channel="jd")
    structlog.reset_defaults()


def test_words_without_anything_personal_are_not_touched() -> None:
    assert scrubbed("GET /router/rest answered 502 after 812 ms, order 10586") == (
        "GET /router/rest answered 502 after 812 ms, order 10586"
    )
