"""Calls to the Taobao Open Platform: signing, envelope, errors, clock."""

from connectors.taobao.client.answers import Answer, rows_of
from connectors.taobao.client.calls import TopClient
from connectors.taobao.client.errors import ERROR_RULES, LOOK_CODES, Rule, Verdict, error_of
from connectors.taobao.client.signing import SIGN_METHODS, sign

__all__ = [
    "ERROR_RULES",
    "LOOK_CODES",
    "SIGN_METHODS",
    "Answer",
    "Rule",
    "TopClient",
    "Verdict",
    "error_of",
    "rows_of",
    "sign",
]
