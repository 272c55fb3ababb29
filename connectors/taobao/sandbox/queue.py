"""The message queue (TMC), read by polling.

Source: protocol note taobao.md section 7: kept 24 hours, delivered again about ten minutes after an unconfirmed
delivery, at least once.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connectors.taobao.sandbox.errors import invalid, missing
from connectors.taobao.sandbox.state import ShopState

KEPT = timedelta(hours=24)
AGAIN = timedelta(minutes=10)
SHOWN = ("id", "topic", "user_nick", "pub_time", "content")


class Queue(ShopState):
    """Messages that wait to be read. `groups` holds the names of the groups that exist besides the default one."""

    groups: set[str]

    def tmc_messages_consume(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.tmc.messages.consume."""
        self._check_group(params)
        quantity = int(params.get("quantity") or 100)
        if not 10 <= quantity <= 200:
            raise invalid("quantity")
        now = self.now()
        for number in [n for n, message in self.messages.items() if now - message["published_at"] > KEPT]:
            del self.messages[number]
        due = [
            message
            for message in self.messages.values()
            if message["delivered_at"] is None or now - message["delivered_at"] >= AGAIN
        ][:quantity]
        for message in due:
            message["delivered_at"] = now
        rows = [{name: message[name] for name in SHOWN} for message in due]
        return {"messages": {"tmc_message": rows} if rows else {}}

    def tmc_messages_confirm(self, params: Mapping[str, str]) -> dict[str, Any]:
        """Answer taobao.tmc.messages.confirm."""
        self._check_group(params)
        ids = [part for part in params.get("s_message_ids", "").split(",") if part]
        if not ids:
            raise missing("s_message_ids")
        if len(ids) > 200 or not all(part.isdigit() for part in ids):
            raise invalid("s_message_ids")
        for part in ids:
            self.messages.pop(int(part), None)
        return {"is_success": True}

    def _check_group(self, params: Mapping[str, str]) -> None:
        name = params.get("group_name", "")
        if name and name not in self.groups:
            raise invalid("group_name")
