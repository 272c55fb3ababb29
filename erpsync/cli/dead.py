"""`dead`: what could not be applied and waits for a person."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import FAILED, OK
from erpsync.cli.tables import Column

if TYPE_CHECKING:
    from erpsync.store.db.privacy import Vault

Json = dict[str, Any]


def list_dead(app: App) -> int:
    """Print dead letters, oldest first."""
    from erpsync.store.views import list_dead as letters

    args = app.args
    columns = (
        Column("id", "id", "number"),
        Column("channel", "channel"),
        Column("kind", "kind", "word"),
        Column("key", "key"),
        Column("at", "since", "instant", app.config.timezone),
        Column("attempts", "tries", "number"),
        Column("error", "error", "long"),
        Column("source", "source", "long"),
        Column("next", "what to do", "long"),
    )
    with app.reading() as connection:
        rows = letters(connection, channel_name=args.channel, kind=args.kind, limit=args.limit)
    app.out.rows(rows, columns, empty="no dead letter")
    return OK


def replay(app: App) -> int:
    """Try dead letters again, with the connectors' reading of today; exit code 1 when one still cannot be applied."""
    from erpsync.cli.build import with_roles
    from erpsync.cli.replaying import Connectors
    from erpsync.flows.operations.dead_letters import reader_of, replay_letter

    def one(letter: int) -> None:
        reader = reader_of(ctx, letter)
        ready = ctx if reader is None else connectors.lend(ctx, reader)
        replay_letter(ready, letter, actor=app.actor)

    with app.ctx(keys(app)) as plain, Connectors(app) as connectors:
        ctx = with_roles(plain, app.config, app.registry)
        return act_on_each(app, "replayed", one)


def keys(app: App) -> "Vault | None":
    """Return the keys if they can be had: without them a letter without personal data can still be replayed."""
    from erpsync.cli.build import vault_of

    if app.config.privacy is None:
        return vault_of(app.config)
    whole = app.load(secrets=()).config
    return None if whole is None else vault_of(whole)


def drop(app: App) -> int:
    """Give dead letters up."""
    from erpsync.flows.operations.dead_letters import drop_letter

    with app.ctx() as ctx:
        why = app.args.reason
        return act_on_each(app, "dropped", lambda letter: drop_letter(ctx, letter, actor=app.actor, reason=why))


def act_on_each(app: App, word: str, act: Callable[[int], object]) -> int:
    """Act on every id of the command; one that is refused stops no other."""
    from erpsync.flows.errors import Refused

    acted: list[int] = []
    refused: list[Json] = []
    for id in app.args.ids:
        try:
            act(id)
            acted.append(id)
        except Refused as error:
            app.out.complain(f"{id}: {error}")
            refused.append({"id": id, "problem": str(error)})
    app.out.value({word: acted, "refused": refused}, f"{len(acted)} {word}, {len(refused)} refused")
    return FAILED if refused else OK
