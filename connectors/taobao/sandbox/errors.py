"""The platform's refusals as the sandbox speaks them."""

from erpsync.sdk.sandbox.top import TopError, invalid, missing

__all__ = ["TopError", "invalid", "missing", "refused"]


def refused(service: str, reason: str, text: str = "") -> TopError:
    """Return a business refusal such as `isv.logistics-offline-service-error:B04`."""
    return TopError(15, f"isv.{service}-service-error:{reason}", text)
