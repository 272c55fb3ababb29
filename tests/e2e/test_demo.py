"""`erpsync demo`: a real daemon, four shops and two couriers, two desks, one call in ten going wrong, and a proof.

Row 26: couriers take bookings and do not answer, and no label is paid twice.
"""

import json
import subprocess
import sys

import pytest

COURIERS = ("demo-kuaidi100", "demo-sf")
SHOPS = ("demo-csv-drop", "demo-jd", "demo-taobao", "demo-webhook-json")


@pytest.mark.concurrent("processes")
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demonstration_ends_by_itself_and_proves_that_nothing_was_lost_or_sold_twice() -> None:
    command = [sys.executable, "-m", "erpsync.cli.main", "demo", "--seconds", "6", "--seed", "5", "--json"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=880, check=False)

    summary = json.loads(done.stdout)
    assert (summary["errors"], [check for check in summary["checks"] if not check["ok"]]) == ([], [])
    assert (done.returncode, summary["ok"]) == (0, True)
    names = {check["name"] for check in summary["checks"]}
    assert {f"{shop}: orders received = stored" for shop in SHOPS} <= names
    assert {f"{shop}: stock shown = available" for shop in SHOPS} <= names
    assert {"no unit sold twice", "counters = sums of holds and ledger", "demo-jd: certificate sealed"} <= names
    assert {f"{shop}: told of each parcel once" for shop in SHOPS} <= names
    assert {f"{courier}: no label paid twice" for courier in COURIERS} <= names
    assert {"one live waybill per parcel", "no unit in two releases", "nothing left while held"} <= names
    assert {"all that may leave has left", "waves printed"} <= names
    assert (summary["faults"] > 0, summary["shipped"] > 0) == (True, True)
    steps = [
        line for line in done.stderr.splitlines() if line.startswith(("building:", "console ", "open:", "closed:"))
    ]
    assert [line.split(maxsplit=1)[0] for line in steps] == ["building:", "console", "open:", "closed:"]
    assert "goes wrong on purpose" in steps[1]
