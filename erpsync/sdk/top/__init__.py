"""Calls to the Taobao Open Platform (TOP), which shops, waybills and warehouse systems are reached by.

Why here and not in a connector: connectors are independent of one another, and signature, envelope, clock and codes are
the same for all that the gateway leads to.
"""

from erpsync.sdk.top.answers import Answer, rows_of
from erpsync.sdk.top.client import TopClient
from erpsync.sdk.top.errors import ERROR_RULES, Rule, Verdict, error_of
from erpsync.sdk.top.settings import PRODUCTION_GATEWAY, TopSettings
from erpsync.sdk.top.signing import SIGN_METHODS, sign
from erpsync.sdk.top.times import BEIJING, format_time, parse_time

__all__ = [
    "BEIJING",
    "ERROR_RULES",
    "PRODUCTION_GATEWAY",
    "SIGN_METHODS",
    "Answer",
    "Rule",
    "TopClient",
    "TopSettings",
    "Verdict",
    "error_of",
    "format_time",
    "parse_time",
    "rows_of",
    "sign",
]
