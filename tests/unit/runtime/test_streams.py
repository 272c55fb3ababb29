"""A stream is known everywhere or nowhere: one table, and nobody who keeps another."""

import pytest
from pydantic import ValidationError

from erpsync.cli.commands import COMMANDS
from erpsync.core.policy import PollPolicy
from erpsync.flows.channels.streams import ASKED, STREAMS, TABLE
from erpsync.flows.intake import poll
from erpsync.runtime.polls import LANES
from erpsync.web.api.models import Poll


def test_every_stream_has_somebody_who_reads_it() -> None:
    assert set(poll._PAGES) == set(STREAMS)


def test_every_stream_is_read_in_one_lane_of_the_daemon_and_at_some_interval() -> None:
    assert sorted(name for lane in LANES for name in lane.streams) == sorted(STREAMS)
    assert all(hasattr(PollPolicy(), stream.every) for stream in TABLE)


def test_streams_of_one_lane_share_their_threads() -> None:
    assert {lane.name: lane.pool for lane in LANES} == {stream.lane: stream.pool for stream in TABLE}


@pytest.mark.parametrize("stream", STREAMS)
def test_the_api_takes_every_stream_that_the_command_takes(stream: str) -> None:
    assert Poll(streams=[stream]).streams == [stream]


def test_a_stream_nobody_knows_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match="there are orders, backfill, refunds, listings, shipments, warehouse"):
        Poll(streams=["ordres"])


def test_the_help_of_the_command_names_every_stream() -> None:
    (command,) = (each for each in COMMANDS if each.name == "channels poll")
    (said,) = (str(each) for each in command.arguments if "--stream" in str(each))

    assert [name for name in STREAMS if name not in said] == []


def test_a_pass_that_names_no_stream_reads_all_but_the_past() -> None:
    assert set(STREAMS) - set(ASKED) == {"backfill"}
