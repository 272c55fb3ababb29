"""What is measured on: a copy of a seeded database, its configuration, and names of things that are in it.

Why a configuration in files: commands and pages are measured as they are built from one, and a channel's roles are
those of its real connector. Time stands (all but) still at the instant at which the seeded half year ends.
"""

import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import func, select

from connectors.webhook_json.sandbox import SECRET
from erpsync.flows.access.tokens import create_token
from erpsync.flows.api.subscriptions import Wanted, subscribe
from erpsync.flows.context import Context
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.settings import Config, Registry, installed, load
from erpsync.store.db.store import Store
from erpsync.store.encrypted import recipient_row
from erpsync.store.tables import dead_letter, orders, release, shipment, wave
from tests.growth.known import Names
from tests.growth.town import DEPOT, NOW, SELLERS, TMALL, VAULT, WAREHOUSES, context_over
from tests.support.visitor import session_of

SETTINGS = {
    "taobao": '{gateway: "http://127.0.0.1:1/rest", app_key: "12345678", app_secret: none, session: none}',
    "jd": '{gateway: "http://127.0.0.1:1/routerjson", app_key: none, app_secret: none, access_token: none}',
    "webhook_json": f'{{secret: "{SECRET}", push_url: "http://127.0.0.1:1/push"}}',
    "csv_drop": "{folder: in, out_folder: out, profile: generic}",
    "warehouse_json": f'{{url: "http://127.0.0.1:1", secret: "{SECRET}"}}',
}
HOT_SKUS = 200
"""How many of the most popular SKUs are marked dirty when numbers are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A database that may be written to, with all that stands around it."""

    orders: int
    clock: ManualClock
    store: Store
    ctx: Context
    config: Config
    registry: Registry
    names: Names
    token: str
    """Of scope admin, for the REST API."""
    session: str
    """Of a user with the role admin, for the console."""


@contextmanager
def ground(url: str, size: int) -> Iterator[Ground]:
    """Yield what is measured on; `size` is how many orders the database holds."""
    clock, registry = ManualClock(NOW), installed()
    store = Store.open(url, clock=clock, vault=VAULT)
    with tempfile.TemporaryDirectory(prefix="erpsync-growth-") as name:
        _configure(Path(name), url)
        config = load(Path(name), registry=registry, environ={}).require()
        http = HttpClient(clock=clock)
        connectors = {each.id: registry.load(each.connector)(each.settings, http, clock) for each in config.channels}
        ctx = replace(context_over(store, connectors), local_targets=frozenset(config.web_local_targets))
        try:
            yield Ground(
                orders=size,
                clock=clock,
                store=store,
                ctx=ctx,
                config=config,
                registry=registry,
                names=_names(ctx),
                token=create_token(store, "growth", scope="admin", actor="growth"),
                session=session_of(store, "growth"),
            )
        finally:
            store.close()


def _configure(folder: Path, url: str) -> None:
    places = [
        f"  - {{id: {w.id}, priority: {w.priority}{f', channel: {w.channel}' if w.channel else ''}}}"
        for w in WAREHOUSES
    ]
    key, index_key = (b64encode(each * 32).decode() for each in (b"k", b"i"))  # those of VAULT
    main = [
        f"database: {url}",
        f"privacy: {{keys: [{key}], index_key: {index_key}}}",
        "defaults: {stock: {settle_s: 0, urgent_below: 0}}",
        "web: {local_targets: ['127.0.0.1:1']}",
        "warehouses:",
        *places,
    ]
    (folder / "erpsync.yaml").write_text("\n".join(main), encoding="utf-8")
    for each in ("channels", "in", "out"):
        (folder / each).mkdir()
    kinds = {each.name: each.kind for each in SELLERS} | {DEPOT[1]: DEPOT[2]}
    for name, kind in kinds.items():
        text = f"id: {name}\nconnector: {kind}\nsettings: {SETTINGS[kind]}\n"
        (folder / "channels" / f"{name}.yaml").write_text(text, encoding="utf-8")


def _names(ctx: Context) -> Names:
    """Return names out of the middle of the history."""
    told = subscribe(ctx, Wanted(url="http://127.0.0.1:1/events"), actor="growth")
    with ctx.store.read() as connection:
        middle = connection.execute(select(func.max(orders.c.id))).scalar_one() // 2
        mine = select(orders).where(
            orders.c.id >= middle, orders.c.channel_id == TMALL.id, orders.c.recipient.is_not(None)
        )
        order = connection.execute(mine.order_by(orders.c.id).limit(1)).one()
        parcels = select(shipment.c.tracking).where(shipment.c.order_id >= middle).order_by(shipment.c.order_id)
        tracking = connection.execute(parcels.limit(1)).scalar_one()
        newest = select(release.c.number, wave.c.number.label("wave")).join(wave, wave.c.id == release.c.wave_id)
        lot = connection.execute(newest.order_by(release.c.id.desc()).limit(1)).one()
        letter = connection.execute(select(func.max(dead_letter.c.id))).scalar_one()
    buyer = VAULT.decrypt(order.recipient, row=recipient_row(order.channel_id, order.external_id))
    return Names(
        order=order.number,
        external_id=order.external_id,
        tracking=tracking,
        phone=buyer["phone"],
        subscription=str(told),
        letter=str(letter),
        release=lot.number,
        wave=lot.wave,
    )
