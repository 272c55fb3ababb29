"""Dead letters: by cause, one by one, and the buttons that replay or drop them."""

from functools import partial

from starlette.exceptions import HTTPException
from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.operations.dead_letters import drop_letter, replay_letter
from erpsync.flows.operations.letter_payload import masked_payload
from erpsync.store.views import NotFound
from erpsync.store.views.letter_groups import (
    MOST_GROUPED,
    LetterGroup,
    letter_groups,
    letters_by_id,
    show_letter,
)
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.attention.many import MOST_AT_ONCE, ids_in, one_by_one
from erpsync.web.console.attention.remedies import letter_remedy
from erpsync.web.console.kit import Kit

SHOWN = 100
"""So many letters of a group stand on its page, the newest; the acts on a whole group reach all of them."""

LONGEST_REASON = 1_000
LARGEST_ID = 2**63 - 1


class Letters:
    """What could not be read or applied."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/dead-letters", self.letters, role="read"),
            door.page("/dead-letters/{letter:int}", self.letter, role="read"),
            door.act("/dead-letters/replay", self.replay, role="operate"),
            door.act("/dead-letters/drop", self.drop, role="operate"),
        ]

    def letters(self, visit: Visit) -> Response:
        """Answer the open letters by cause; with `group` those of one cause, with `channel` those of one shop."""
        wanted = visit.request.query_params.get("group", "")
        shop = visit.request.query_params.get("channel") or None
        with self._kit.site.store.read() as connection:
            groups = letter_groups(connection, shop=shop)
            group = next((each for each in groups.groups if each.name == wanted), None)
            rows = letters_by_id(connection, group.ids[:SHOWN]) if group else []
        page = {
            "all": groups,
            "group": group,
            "gone": bool(wanted) and group is None,
            "letters": [letter | {"do": letter_remedy(letter["kind"], letter["remedy"])} for letter in rows],
            "shop": shop,
            "most_grouped": MOST_GROUPED,
            "most_at_once": MOST_AT_ONCE,
        }
        return self._kit.pages.answer("attention/letters.html", page, visit)

    def letter(self, visit: Visit) -> Response:
        """Answer one letter: what is wrong with it, what it holds, what was tried."""
        id = visit.request.path_params["letter"]
        if id > LARGEST_ID:
            raise HTTPException(404, f"no dead letter {id}")
        with self._kit.site.store.read() as connection:
            letter = show_letter(connection, id)
        payload, shut = self._payload(id)
        page = {
            "letter": letter,
            "do": letter_remedy(letter["kind"], letter["remedy"]),
            "payload": payload,
            "shut": shut,
        }
        return self._kit.pages.answer("attention/letter.html", page, visit)

    def _payload(self, id: int) -> tuple[str, str]:
        """Return what a letter holds, masked, and why it cannot be shown."""
        try:
            return masked_payload(self._kit.site.ctx(), id), ""
        except Refused as error:
            return "", str(error)

    def replay(self, visit: Visit) -> Response:
        """Try letters again, the chosen ones or a whole group."""
        return self._kit.acts.carry_out(visit, partial(self._replay, visit), again=True)

    def _replay(self, visit: Visit, ctx: Context) -> Said:
        outcome = one_by_one(ctx, self._chosen(visit), partial(replay_letter, ctx, actor=visit.actor))
        one = "The dead letter was replayed: it is settled."
        many = f"{outcome.done} dead letters were replayed: they are settled."
        return outcome.said(many if outcome.done > 1 else one)

    def drop(self, visit: Visit) -> Response:
        """Give letters up, the chosen ones or a whole group."""
        return self._kit.acts.carry_out(visit, partial(self._drop, visit), again=True)

    def _drop(self, visit: Visit, ctx: Context) -> Said:
        reason = visit.form.text("reason").strip()
        if not reason:
            raise Refused("a reason is needed: why may this be given up?")
        if len(reason) > LONGEST_REASON:
            raise Refused(f"the reason is longer than {LONGEST_REASON} characters")
        outcome = one_by_one(ctx, self._chosen(visit), partial(drop_letter, ctx, actor=visit.actor, reason=reason))
        one = "The dead letter was dropped."
        return outcome.said(f"{outcome.done} dead letters were dropped." if outcome.done > 1 else one)

    def _chosen(self, visit: Visit) -> list[int]:
        """Return the letters that a form is about, oldest first: all of a group as it is now, else the ticked ones."""
        if name := visit.form.text("group"):
            return sorted(self._group(name, visit.form.text("channel") or None).ids)
        ids = ids_in(visit.form, "letter")
        if not ids:
            raise Refused("no dead letter was chosen: tick those that you mean")
        return sorted(ids)

    def _group(self, name: str, shop: str | None) -> LetterGroup:
        with self._kit.site.store.read() as connection:
            try:
                return letter_groups(connection, shop=shop).named(name)
            except NotFound as error:
                raise Refused(str(error)) from error
