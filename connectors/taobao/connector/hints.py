"""The message queue (TMC) as a reason to poll now.

Why only hints: messages come more than once, in any order and for at most a day, so the truth is read by polling; a
lost message costs one polling interval, nothing else.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.taobao.connector.base import TaobaoBase
from erpsync.sdk.roles import HintSource
from erpsync.sdk.top import rows_of

QUANTITY = "100"
STREAMS: Mapping[str, tuple[str, ...]] = {
    "taobao_trade_": ("orders",),
    "taobao_refund_": ("orders", "refunds"),
    "taobao_item_ItemAdd": ("listings",),
    "taobao_item_ItemUpdate": ("listings",),
    "taobao_item_ItemDelete": ("listings",),
    "taobao_item_ItemUpshelf": ("listings",),
    "taobao_item_ItemDownshelf": ("listings",),
    "taobao_top_AuthCancel": ("orders",),
}
"""Which stream a topic (its beginning) wakes. Stock messages wake none: our own pushes cause them.
Source: protocol note taobao.md section 7."""


class TaobaoHints(TaobaoBase, HintSource):
    """Reads the queue when `tmc` is on. The queue belongs to app key and group, not to one shop."""

    def pull_hints(self) -> Iterator[tuple[str, ...]]:
        """Yield streams to poll until the queue is empty; messages are confirmed once the wish is committed."""
        group = self.settings.tmc_group
        while self.settings.tmc:
            answer = self.client.call(
                "taobao.tmc.messages.consume", {"quantity": QUANTITY, "group_name": group}, with_session=False
            )
            messages = rows_of(answer.body, "messages", "tmc_message")
            if not messages:
                return
            yield _streams(messages)
            ids = ",".join(str(message.get("id")) for message in messages)
            self.client.call(
                "taobao.tmc.messages.confirm", {"s_message_ids": ids, "group_name": group}, with_session=False
            )


def _streams(messages: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the streams that the messages speak of, each once; none for messages that mean nothing to us."""
    named: dict[str, None] = {}
    for message in messages:
        topic = str(message.get("topic") or "")
        for beginning, streams in STREAMS.items():
            if topic.startswith(beginning):
                named |= dict.fromkeys(streams)
    return tuple(named)
