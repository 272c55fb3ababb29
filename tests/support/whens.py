"""Of which events routes tell, read as erpsync.yaml is."""

import json
from typing import Any

from erpsync.core.facts import On
from erpsync.core.rules.events import When
from erpsync.settings.conditions import Conditions, Known
from erpsync.settings.problems import Findings
from erpsync.settings.tree import parse


def when(**facts: Any) -> When:
    """Return what a route's `when` of these keys comes to; names that it holds may be any."""
    findings = Findings("when")
    node = parse(json.dumps(facts).encode(), findings)
    assert node is not None
    condition = Conditions(findings=findings, on=On.EVENT, zones=(), known=Known()).read(node, ())
    assert condition is not None, findings.found
    return When(condition=condition)
