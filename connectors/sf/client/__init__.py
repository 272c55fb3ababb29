"""Calls to Fengqiao: digest, envelope, refusals."""

from connectors.sf.client.calls import SfClient
from connectors.sf.client.errors import BUSINESS, GATEWAY, Verdict
from connectors.sf.client.signing import DIGESTS, digest

__all__ = ["BUSINESS", "DIGESTS", "GATEWAY", "SfClient", "Verdict", "digest"]
