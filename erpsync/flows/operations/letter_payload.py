"""What a dead letter holds, for people who look for the field that is wrong: everything personal in it is hidden.

Why nothing is shown unmasked anywhere: who mends a record needs its shape, and whose parcel it is stands on the order.
"""

import json
from typing import Any

from sqlalchemy import select

from erpsync.core.personal import masked
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.encrypted import dead_letter_row, inbox_row
from erpsync.store.tables import dead_letter, inbox

MOST_CHARS = 60_000
"""So much of a payload is shown; what is longer is cut off."""


def masked_payload(ctx: Context, letter_id: int) -> str:
    """Return what a dead letter holds as indented JSON, masked; "" when it holds nothing.

    Raises:
        Refused: it cannot be opened with the keys at hand.
    """
    with ctx.store.read() as connection:
        sealed, row = _sealed(connection, letter_id)
    if sealed is None:
        return ""
    if ctx.store.vault is None:
        raise Refused("this process runs without encryption keys and cannot open it")
    try:
        body = ctx.store.vault.decrypt(sealed, row=row)
    except PrivacyError as error:
        raise Refused(f"it cannot be opened: {error}") from error
    shown = json.dumps(masked(_told(body)), ensure_ascii=False, indent=2)
    return shown if len(shown) <= MOST_CHARS else f"{shown[:MOST_CHARS]}\n…"


def _sealed(connection: Any, letter_id: int) -> tuple[bytes | None, str]:
    """Return what is sealed and for which row; of a webhook that was given up it lies in the inbox."""
    letter = connection.execute(select(dead_letter).where(dead_letter.c.id == letter_id)).first()
    if letter is None:
        return None, ""
    if letter.kind == "inbox":
        same = (inbox.c.channel_id == letter.channel_id) & (inbox.c.delivery_key == letter.key)
        kept = connection.execute(select(inbox.c.body).where(same)).scalar()
        return kept, inbox_row(letter.channel_id, letter.key)
    return letter.body, dead_letter_row(letter.channel_id, letter.kind, letter.key)


def _told(body: Any) -> Any:
    """Return what came, without the notes that we keep beside it; under names that hide nothing by themselves."""
    if not isinstance(body, dict):
        return body
    if "payload" in body:
        return {"record": body["payload"]}
    if "records" in body:
        return {"records": [_told(record) for record in body["records"]]}
    return body
