"""Access tokens: where they come from, and how the next one is bought.

Why a refresh returns data and writes nothing: a new refresh token replaces the old one, so both must be stored in one
commit, and only the daemon has a store.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import SecretStr

from connectors.jd.client.errors import OAUTH, Verdict, error_of
from connectors.jd.settings import JdSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import AuthError, ConnectorError, OutcomeUnknownError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.tokens import TokenBox, TokenPair

REFRESH_BEFORE = timedelta(hours=24)
"""A token can be renewed in its last 24 hours and not after. Source: protocol note jd.md section 2 [JOSDOC 32]."""


def configured_tokens(settings: JdSettings) -> TokenBox:
    """Return a box with the pair of the settings."""
    pair = TokenPair(
        access_token=settings.access_token,
        refresh_token=settings.refresh_token,
        expires_at=settings.token_expires_at,
    )
    return TokenBox(pair)


def may_refresh(pair: TokenPair, now: datetime) -> bool:
    """Return whether the platform would renew this pair now: it can be renewed, and is in its last 24 hours."""
    if pair.refresh_token is None or pair.expires_at is None:
        return False
    return pair.expires_at - REFRESH_BEFORE <= now < pair.expires_at


def refreshed(settings: JdSettings, http: HttpClient, clock: Clock, pair: TokenPair) -> TokenPair:
    """Return the pair that follows `pair`. Never sent twice: a refresh may replace the refresh token.

    Raises:
        AuthError: the platform does not renew it, a person has to authorise the app again.
        OutcomeUnknownError: no usable answer came, the old pair may be void.
    """
    if pair.refresh_token is None:
        raise AuthError("there is no refresh token", code="refresh_token")
    params = {
        "app_key": settings.app_key,
        "app_secret": settings.app_secret.get_secret_value(),
        "grant_type": "refresh_token",
        "refresh_token": pair.refresh_token.get_secret_value(),
    }
    started = clock.now()
    response = http.request("GET", f"{settings.oauth.rstrip('/')}/refresh_token", params=params, repeatable=False)
    document = response.json()
    if not isinstance(document, dict):
        raise OutcomeUnknownError("the answer to a token refresh is no object")
    if not document.get("access_token"):
        raise _refusal(document)
    return _pair(document, pair, started)


def _refusal(document: Mapping[str, Any]) -> ConnectorError:
    code, text = str(document.get("code", "")), str(document.get("msg", ""))
    table = {code: OAUTH.get(code, Verdict.OPERATOR)}
    return error_of(code, f"the token is not renewed: {text}", repeatable=False, table=table)


def _pair(document: Mapping[str, Any], before: TokenPair, started: datetime) -> TokenPair:
    """Return the new pair; its life counts from before the request, so it never looks longer than it is."""
    refresh, lives_s = document.get("refresh_token"), str(document.get("expires_in", ""))
    return TokenPair(
        access_token=SecretStr(str(document["access_token"])),
        refresh_token=SecretStr(str(refresh)) if refresh else before.refresh_token,
        expires_at=started + timedelta(seconds=int(lives_s)) if lives_s.isdigit() else None,
    )
