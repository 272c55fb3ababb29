"""What `check` says of the SKUs that rules name, where there is a database to ask.

Why nothing of it refuses a rule: a SKU may be named today and come in tomorrow's file.
"""

from typing import TYPE_CHECKING

from erpsync.cli.app import App

if TYPE_CHECKING:
    from collections.abc import Sequence

    from erpsync.settings import Config, Problem
    from erpsync.settings.rule_skus import NamedSku
    from erpsync.store.db.store import Store


def unknown_skus(app: App, config: "Config") -> "list[Problem]":
    """Return a finding for each SKU of a rule that nobody has; none while there is no database."""
    file, root = config.written.rules
    if root is None:
        return []
    from erpsync.settings.problems import Findings
    from erpsync.settings.rule_skus import named_skus
    from erpsync.settings.tree import locate

    findings = Findings(file)
    named = list(named_skus(root))
    for each, text in _looked_up(app, config, named) if named else ():
        findings.add(locate(root, each.path)[1], each.path, text, severity="warning" if each.given else "note")
    return findings.found


def _looked_up(app: App, config: "Config", named: "Sequence[NamedSku]") -> "list[tuple[NamedSku, str]]":
    from sqlalchemy.exc import SQLAlchemyError

    from erpsync.cli.build import open_store
    from erpsync.store.db.engine import StoreError
    from erpsync.store.db.schema import current_version, is_current
    from erpsync.store.db.store import BORDER_WAIT_S

    try:
        store = open_store(config, wait_s=BORDER_WAIT_S)
        try:
            if is_current(store.engine):
                return _said(store, named)
            if current_version(store.engine) is not None:
                app.out.note("the database is not at this version, so the SKUs of rules are not looked at")
        finally:
            store.close()
    except (SQLAlchemyError, StoreError):
        app.out.note("the database cannot be used, so the SKUs of rules are not looked at")
    return []


def _said(store: "Store", named: "Sequence[NamedSku]") -> "list[tuple[NamedSku, str]]":
    from erpsync.store.views.named_skus import uncounted, unknown_words

    with store.read() as connection:
        nowhere = uncounted(connection, {each.code for each in named if each.given})
        unknown = unknown_words(connection, {each.code for each in named if not each.given})
    return [(each, _text(each)) for each in named if each.code in (nowhere if each.given else unknown)]


def _text(named: "NamedSku") -> str:
    if named.given:
        return f"'{named.code}' lies in no warehouse as far as anybody has counted, so it cannot be given"
    if named.code.endswith("*"):
        return f"no SKU begins with '{named.code[:-1]}' so far"
    return f"no SKU is called '{named.code}' so far"
