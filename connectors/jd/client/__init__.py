"""Calls to the JD Open Platform: transport, signing, envelope, errors, tokens, clock."""

from connectors.jd.client.answers import Answer, demand_success, first, result_of, rows_of, total_of, truth
from connectors.jd.client.calls import SHOP, JdClient
from connectors.jd.client.errors import GATEWAY, SERVICES, Verdict, error_of
from connectors.jd.client.signing import SIGN_METHODS, sign
from connectors.jd.client.tokens import configured_tokens, may_refresh, refreshed

__all__ = [
    "GATEWAY",
    "SERVICES",
    "SHOP",
    "SIGN_METHODS",
    "Answer",
    "JdClient",
    "Verdict",
    "configured_tokens",
    "demand_success",
    "error_of",
    "first",
    "may_refresh",
    "refreshed",
    "result_of",
    "rows_of",
    "sign",
    "total_of",
    "truth",
]
