"""The dashboard and alarms of `config/monitoring`, held against what a server exports and by their own checkers."""

import copy
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import update

from erpsync.core.alarms import OF_ALL, OF_CHANNELS
from erpsync.runtime.meters import METERS, Meters
from erpsync.settings.config import StatusLimits
from erpsync.settings.models import Web
from erpsync.store import tables
from erpsync.store.status.storage import MB
from tests.support.promql import ADDED, RENAMED, asked, labels_shown
from tests.support.sources import ROOT
from tests.support.web_shop import NOW, add, effect_row, fill, open_shop, order_row, serve

HERE = ROOT / "config" / "monitoring"
DASHBOARD = json.loads((HERE / "grafana-dashboard.json").read_text(encoding="utf-8"))
RULES = yaml.safe_load((HERE / "prometheus-rules.yml").read_text(encoding="utf-8"))
SCRAPE = yaml.safe_load((HERE / "prometheus.yml").read_text(encoding="utf-8"))
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"]}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
UNITS = {"none", "short", "s", "d", "bytes", "ops", "percentunit"}
PROMTOOL = os.environ.get("ERPSYNC_TEST_PROMTOOL") or shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None, reason="no promtool: apt install prometheus, or ERPSYNC_TEST_PROMTOOL=/path/to/it"
)


@pytest.fixture
def exported(database_url: str) -> Iterator[dict[str, list[Mapping[str, str]]]]:
    """The labels of every sample that a server gives with each figure counted once, by metric."""
    store, ctx = open_shop(database_url)
    fill(store, ctx)
    shop = ctx.channel("jd-main").id
    applied = {"delivery_key": "1", "state": "done", "run_at": NOW, "received_at": NOW, "applied_at": NOW}
    with store.begin() as tx:  # what the filled shop has no figure of
        tx.execute(update(tables.channel).values(token_expires_at=NOW + timedelta(days=9)))
        add(tx, tables.outbox, effect_row(shop, "told", state="done", marked_at=NOW, done_at=NOW, error=""))
        add(tx, tables.inbox, {"channel_id": shop, "error": "", **applied})
    meters = Meters()
    for meter in METERS.values():
        meters.add(meter.name, 1, **dict.fromkeys(meter.labels, "any"))
    server, _ = serve(store, ctx, meters=meters.samples, places=lambda: (("tests", ROOT),))
    requests.post(f"{server.url}hooks/jd-main", data=b"{}", timeout=60)
    body = requests.get(f"{server.url}metrics", timeout=60).text
    yield labels_of(body)
    server.stop(2)
    store.close()


def labels_of(body: str) -> dict[str, list[Mapping[str, str]]]:
    found: dict[str, list[Mapping[str, str]]] = {}
    for family in text_string_to_metric_families(body):
        found.setdefault(family.name, [])
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def expressions() -> dict[str, str]:
    """Return every expression of both files, by where it stands."""
    found = {f"alert {name}": rule["expr"] for name, rule in ALERTS.items()}
    for panel in PANELS:
        found |= {f"panel {panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}
    return found


def texts() -> dict[str, str]:
    """Return what is shown with each expression, and may name labels."""
    found = {f"alert {name}": " ".join(rule["annotations"].values()) for name, rule in ALERTS.items()}
    for panel in PANELS:
        found |= {f"panel {panel['title']} {target['refId']}": target["legendFormat"] for target in panel["targets"]}
    return found


def test_every_metric_and_label_that_is_asked_for_is_exported(exported: dict[str, list[Mapping[str, str]]]) -> None:
    wrong = []
    for where, expression in expressions().items():
        wanted = asked(expression)
        ours = wanted.metrics - {"up"}  # Prometheus makes it itself
        known = {label for metric in ours for labels in exported.get(metric, ()) for label in labels} | ADDED
        wrong += [f"{where}: no metric {metric}" for metric in ours if metric not in exported]
        named = {RENAMED.get(label, label) for label in wanted.labels | labels_shown(texts()[where])}
        wrong += [f"{where}: no label {label}" for label in named - known]

    assert wrong == []


def test_a_metric_that_is_missing_would_be_found() -> None:
    assert asked('max by (channel) (erpsync_tea{state="hot"}) > 0').metrics == {"erpsync_tea"}
    assert asked('max by (channel) (erpsync_tea{state="hot"}) > 0').labels == {"channel", "state"}
    assert asked("rate(a[$__rate_interval]) and on (instance) b").labels == {"instance"}
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        asked("max by (channel (erpsync_tea)")


def test_every_metric_of_the_reference_but_those_of_the_machinery_is_on_the_dashboard_or_an_alarm() -> None:
    used = {metric for expression in expressions().values() for metric in asked(expression).metrics}
    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `(erpsync_\w+)` \|", page, re.MULTILINE))

    assert {name for name in used if name.startswith("erpsync_")} <= listed
    assert listed - used == {
        "erpsync_chain_runs_total",
        "erpsync_channel_paused",
        "erpsync_channels_isolated",
        "erpsync_config_last_reload_successful",
        "erpsync_config_reloads_total",
        "erpsync_events_told_total",
        "erpsync_inbox_applied_total",
        "erpsync_listings_drifted_total",
        "erpsync_orders_judged_total",
        "erpsync_poll_seconds_total",
        "erpsync_push_seconds_total",
        "erpsync_reservations_expired_total",
        "erpsync_started_at_seconds",
        "erpsync_tokens_renewed_total",
        "erpsync_webhooks_not_stored",
        "erpsync_windows_sealed_total",
    }


def test_every_check_of_status_has_its_alarm_and_no_other() -> None:
    compared = {value for e in expressions().values() for _, label, value in asked(e).compared if label == "check"}

    assert compared | {"database"} == {*OF_CHANNELS, *OF_ALL}  # of the database there is a figure of its own


def test_what_status_finds_is_exported_by_channel_and_check(database_url: str) -> None:
    store, ctx = open_shop(database_url)
    fill(store, ctx)
    with store.begin() as tx:
        tx.execute(update(tables.channel).where(tables.channel.c.name == "jd-main").values(auth_failed_at=NOW))
    server, _ = serve(store, ctx)
    problems = requests.get(f"{server.url}status.json", timeout=60).json()["problems"]
    exported = labels_of(requests.get(f"{server.url}metrics", timeout=60).text)["erpsync_status_problems"]
    server.stop(2)
    store.close()

    assert {"channel": "jd-main", "check": "auth"} in exported
    assert sorted((each["channel"], each["check"]) for each in exported) == sorted(
        {(each["channel"] or "", each["check"]) for each in problems}
    )


def test_orders_of_the_last_full_hour_are_those_that_are_exported(database_url: str) -> None:
    store, ctx = open_shop(database_url)
    hour = timedelta(hours=1)
    with store.begin() as tx:
        came = [NOW - timedelta(minutes=26), NOW - timedelta(minutes=84), NOW, NOW - 2 * hour]  # it is 25 past
        add(tx, tables.orders, *(order_row(ctx.channel("jd-main").id, n, imported_at=at) for n, at in enumerate(came)))
    server, _ = serve(store, ctx)
    lines = requests.get(f"{server.url}metrics", timeout=60).text.splitlines()
    server.stop(2)
    store.close()

    assert 'erpsync_orders_imported_hour{channel="jd-main"} 2.0' in lines
    assert 'erpsync_orders_imported_hour{channel="tmall-flagship"} 0.0' in lines


# ---- alarms


def test_every_alarm_says_how_bad_it_is_what_it_means_and_where_to_read_on() -> None:
    anchors = set(re.findall(r'<a id="([\w-]+)"></a>', (ROOT / "docs" / "at-night.md").read_text(encoding="utf-8")))
    for name, rule in ALERTS.items():
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}, name
        assert rule["labels"]["severity"] in ("critical", "warning"), name
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}, name
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert (page, anchor in anchors) == ("docs/at-night.md", True), name


def test_the_limits_that_alarms_name_are_those_of_status() -> None:
    said = " ".join(rule["annotations"]["description"] for rule in ALERTS.values())
    limits = StatusLimits()

    assert set(re.findall(r"`status\.(\w+)`", said)) == {field.name for field in fields(limits)}
    assert (limits.freshness_s, limits.cursor_lag_s, limits.queue_age_s) == (900, 3600, 600)
    assert (limits.queue_depth, limits.dead_letters, limits.token_expiry_days) == (10_000, 0, 3)
    assert (limits.tasks, limits.unknown_stock) == (None, None)


def test_alarms_go_by_the_name_under_which_prometheus_reads() -> None:
    [job] = SCRAPE["scrape_configs"]
    jobs = {value for e in expressions().values() for _, label, value in asked(e).compared if label == "job"}

    assert jobs == {job["job_name"]}
    assert job["metrics_path"] == "/metrics"
    assert SCRAPE["rule_files"] == ["prometheus-rules.yml"]
    assert job["static_configs"] == [{"targets": [Web().listen]}]


OTHERS: Mapping[str, tuple[dict[str, str], dict[str, str]]] = {
    "ErpsyncGone": ({"erpsync_other": "1x30"}, {'erpsync_info{version="1"}': "1x30"}),
    "ErpsyncDaemonDown": ({'up{job="erpsync"}': "0x30"}, {'up{job="erpsync"}': "1x30", 'up{job="other"}': "0x30"}),
    "ErpsyncDatabaseRefusesWrites": (
        {'erpsync_store_writable{instance="a"}': "1x30", 'erpsync_store_writable{instance="b"}': "0x30"},
        {'erpsync_store_writable{instance="a"}': "1x30"},
    ),
    "ErpsyncStatusNotOk": ({"erpsync_status_ok": "0x60"}, {"erpsync_status_ok": "0x20 1 0x20"}),
    "ErpsyncFewOrders": (
        {'erpsync_orders_imported_24h{channel="shop"}': "200x10080 49x240"},
        {'erpsync_orders_imported_24h{channel="shop"}': "200x10080 51x240"},
    ),
    "ErpsyncNumbersDrift": (
        {'erpsync_listings_drifted{channel="shop"}': "1x480"},
        {'erpsync_listings_drifted{channel="shop"}': "1x200 0 1x200"},
    ),
    "ErpsyncOrdersFoundLate": (
        {'erpsync_orders_found_late_total{channel="shop"}': "0x20 1x30"},
        {'erpsync_orders_found_late_total{channel="shop"}': "7x50"},
    ),
    "ErpsyncCountersDiffer": ({"erpsync_counter_differences": "1x9"}, {"erpsync_counter_differences": "0x9"}),
    "ErpsyncSubscriberGivenUp": (
        {'erpsync_subscriptions{state="stopped"}': "1x20"},
        {'erpsync_subscriptions{state="active"}': "4x20", 'erpsync_subscriptions{state="stopped"}': "0x20"},
    ),
    "ErpsyncWebhooksRefused": (
        {'erpsync_webhooks_total{channel="shop",result="refused"}': "0+1x40"},
        {'erpsync_webhooks_total{channel="shop",result="stored"}': "0+9x40"},
    ),
    "ErpsyncStageFails": (
        {'erpsync_job_failed_total{exported_job="push"}': "0+1x40"},
        {'erpsync_job_failed_total{exported_job="push"}': "0x10 1x40"},
    ),
}
"""Series under which an alarm of no check rings at their end, and under which it does not, a value a minute."""


def series_of(name: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return series that make an alarm ring, and series that do not: those of its check, and those of all others."""
    if name in OTHERS:
        return OTHERS[name]
    (check,) = {value for _, label, value in asked(ALERTS[name]["expr"]).compared if label == "check"}
    found = [f'erpsync_status_problems{{channel="shop",check="{each}"}}' for each in sorted({*OF_CHANNELS, *OF_ALL})]
    mine = f'erpsync_status_problems{{channel="shop",check="{check}"}}'
    return {mine: "1x120"}, {each: "1x120" for each in found if each != mine}


def minutes_of(values: Mapping[str, str]) -> int:
    """Return at which minute the last value of the longest series stands."""

    def length(text: str) -> int:
        return sum(int(part.partition("x")[2]) + 1 if "x" in part else 1 for part in text.split())

    return max(length(text) for text in values.values()) - 1


def rings(name: str, values: Mapping[str, str], *, count: int) -> dict[str, Any]:
    """Return a test of promtool: how often an alarm rings at the end of these series."""
    samples = [{"labels": "{}", "value": count}] if count else []
    expression = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})'
    return {
        "name": f"{name} {count}",
        "interval": "1m",
        "input_series": [{"series": series, "values": text} for series, text in values.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": f"{minutes_of(values)}m", "exp_samples": samples}],
    }


def promtool(*words: str | Path) -> str:
    done = subprocess.run([str(PROMTOOL), *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_promtool
@pytest.mark.concurrent("processes")
def test_prometheus_takes_the_alarms_and_the_scrape() -> None:
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", HERE / "prometheus-rules.yml")
    assert "is valid prometheus config" in promtool("check", "config", HERE / "prometheus.yml")


@needs_promtool
@pytest.mark.concurrent("processes")
@pytest.mark.parametrize("name", ALERTS)
def test_an_alarm_rings_when_it_should_and_not_otherwise(name: str, tmp_path: Path) -> None:
    loud, quiet = series_of(name)
    tests = [rings(name, loud, count=1), rings(name, quiet, count=0)]
    file = tmp_path / "rules-test.yml"
    rules = str(HERE / "prometheus-rules.yml")
    file.write_text(json.dumps({"rule_files": [rules], "evaluation_interval": "1m", "tests": tests}), encoding="utf-8")

    assert "SUCCESS" in promtool("test", "rules", file)


# ---- dashboard


def lost(dashboard: Mapping[str, Any]) -> list[str]:
    """Return what Grafana's own description of dashboards does not know of one."""
    register_default_plugins()
    kept = json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(copy.deepcopy(dict(dashboard)))))
    return list(differing(dashboard, kept, "$"))


def differing(ours: Any, theirs: Any, path: str) -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from differing(value, theirs.get(key), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differing(one, other, f"{path}[{index}]")
    elif ours != theirs:
        yield path


def test_grafana_knows_everything_that_the_dashboard_says() -> None:
    assert lost(DASHBOARD) == []


def test_a_word_that_grafana_does_not_know_would_be_found() -> None:
    wrong = copy.deepcopy(DASHBOARD)
    at = next(at for at, panel in enumerate(wrong["panels"]) if panel["type"] == "timeseries")
    wrong["panels"][at]["fieldConfig"]["defaults"]["custom"]["drawStil"] = "bars"
    wrong["panels"][at]["titel"] = "x"

    assert lost(wrong) == [f"$.panels[{at}].fieldConfig.defaults.custom.drawStil", f"$.panels[{at}].titel"]


def test_every_panel_says_what_it_shows_in_a_unit_and_asks_the_chosen_source() -> None:
    for panel in PANELS:
        title = panel["title"]
        assert panel["description"].endswith("."), title
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, title
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources), title


def test_a_figure_in_seconds_or_bytes_is_shown_as_such() -> None:
    for panel in PANELS:
        unit = panel["fieldConfig"]["defaults"]["unit"]
        for target in panel["targets"]:
            names = asked(target["expr"]).metrics
            if all(name.endswith("_seconds") for name in names):
                assert unit == ("d" if "/ 86400" in target["expr"] else "s"), panel["title"]
            if all(name.endswith("_bytes") for name in names):
                assert unit == "bytes", panel["title"]


def test_no_panel_covers_another_and_each_has_its_own_number() -> None:
    panels = DASHBOARD["panels"]
    places = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(places) == len(set(places))
    assert max(x for x, _ in places) == 23
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_lines_that_mark_a_limit_stand_where_status_draws_it() -> None:
    marked = {
        panel["title"]: panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"]
        for panel in PANELS
        if panel["fieldConfig"]["defaults"].get("custom", {}).get("thresholdsStyle", {}).get("mode") == "dashed"
    }
    limits = StatusLimits()

    assert marked["Freshness of orders"] == limits.freshness_s
    assert marked["Oldest effect due"] == limits.queue_age_s
    assert marked["Effects due"] == limits.queue_depth
    assert marked["Days until credentials end"] == limits.token_expiry_days
    assert marked["Room on disks"] == (limits.disk_free_mb or 0) * MB
