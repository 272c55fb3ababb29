"""`orders approve`, `tag`, `untag`, `seal` and `unseal`: a person's word on what rules want of an order."""

from erpsync.cli.app import App
from erpsync.cli.errors import UsageError
from erpsync.cli.orders import decide


def approve(app: App) -> int:
    """Say yes to what rules ask."""
    from erpsync.flows.audit.approve import approve as say_yes

    args = app.args
    if args.rules and args.all:
        raise UsageError("either name rules or say --all")
    rules, named = tuple(args.rules), not args.all
    return decide(app, lambda ctx: say_yes(ctx, args.order, rules, actor=app.actor, reason=args.reason, named=named))


def tag(app: App) -> int:
    """Give an order tags."""
    from erpsync.flows.audit.marks import tag_order

    return decide(app, lambda ctx: tag_order(ctx, app.args.order, app.args.tags, actor=app.actor))


def untag(app: App) -> int:
    """Take tags off an order."""
    from erpsync.flows.audit.marks import untag_order

    return decide(app, lambda ctx: untag_order(ctx, app.args.order, app.args.tags, actor=app.actor))


def seal(app: App) -> int:
    """Keep an order from being merged, from being split, or from both."""
    from erpsync.flows.audit.marks import SEALS, seal_order

    kept_from = [name for name in SEALS if getattr(app.args, name)] or SEALS
    return decide(app, lambda ctx: seal_order(ctx, app.args.order, kept_from, actor=app.actor))


def unseal(app: App) -> int:
    """Let an order be merged and split."""
    from erpsync.flows.audit.marks import unseal_order

    return decide(app, lambda ctx: unseal_order(ctx, app.args.order, actor=app.actor))
