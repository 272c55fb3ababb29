"""What a PromQL expression asks for: metrics, labels and the values they are compared with."""

import re
from dataclasses import dataclass, field
from typing import Any

import promql_parser

ADDED = {"job", "instance"}
"""Labels that Prometheus puts to every sample it scrapes."""
RENAMED = {"exported_job": "job"}
"""Labels of ours that it renames, because it puts one of that name itself. Source: Prometheus, `honor_labels`."""
VARIABLES = {"$__rate_interval": "5m", "$channel": ".*"}


@dataclass(slots=True)
class Asked:
    """The metrics of an expression with the labels it names of each, and what labels are compared with."""

    metrics: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    compared: set[tuple[str, str, str]] = field(default_factory=set)


def asked(expression: str) -> Asked:
    """Return what an expression asks for; raises `ValueError` for one that is no PromQL.

    Variables of a dashboard are filled in first.
    """
    for name, value in VARIABLES.items():
        expression = expression.replace(name, value)
    found = Asked()

    def visit(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.metrics.add(node.name)
            for matcher in node.matchers.matchers:
                found.labels.add(matcher.name)
                if matcher.op == promql_parser.MatchOp.Equal:
                    found.compared.add((node.name, matcher.name, matcher.value))
        if isinstance(node, promql_parser.AggregateExpr) and node.modifier is not None:
            found.labels.update(node.modifier.labels)
        if isinstance(node, promql_parser.BinaryExpr) and node.modifier and node.modifier.matching is not None:
            found.labels.update(node.modifier.matching.labels)
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def labels_shown(text: str) -> set[str]:
    """Return the labels that an alarm's text or a legend of a graph names."""
    return set(re.findall(r"\{\{ *(?:\$labels\.)?(\w+) *\}\}", text))
