"""`token`: who may use the REST API."""

from erpsync.cli.app import App
from erpsync.cli.errors import OK
from erpsync.cli.tables import Column


def create(app: App) -> int:
    """Make a token and print it; it cannot be printed again."""
    from erpsync.flows.access.tokens import create_token

    name, scope = app.args.name, app.args.scope
    with app.store() as store:
        text = create_token(store, name, scope=scope, actor=app.actor)
    if not app.out.as_json:
        app.out.note(f"token {name} may {scope}; keep it well, it cannot be shown again:")
    app.out.value({"name": name, "scope": scope, "token": text}, text)
    return OK


def revoke(app: App) -> int:
    """End a token."""
    from erpsync.flows.access.tokens import revoke_token

    name = app.args.name
    with app.store() as store:
        revoke_token(store, name, actor=app.actor)
    app.out.value({"name": name, "revoked": True}, f"token {name} is revoked")
    return OK


def list_(app: App) -> int:
    """Print all tokens, never what they are."""
    from erpsync.flows.access.tokens import list_tokens

    zone = app.config.timezone
    columns = (
        Column("name", "token"),
        Column("scope", "scope"),
        Column("created_at", "made", "instant", zone),
        Column("created_by", "by"),
        Column("last_used_at", "last used", "instant", zone),
        Column("revoked_at", "revoked", "instant", zone),
        Column("revoked_by", "by"),
    )
    with app.store() as store:
        rows = list_tokens(store)
    app.out.rows(rows, columns, empty="no token yet")
    return OK
