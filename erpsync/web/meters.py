"""What the web server counts about itself."""

from prometheus_client import CollectorRegistry, Counter


class WebMeters:
    """Counters in a registry of their own, so that two servers in one process (tests) do not meet."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._webhooks = Counter(
            "erpsync_webhooks", "Webhook deliveries by what became of them.", ["channel", "result"], registry=registry
        )

    def count(self, channel: str, result: str) -> None:
        """Count a webhook: `stored`, `refused` (401), `not_taken` (413 and such) or `not_stored` (503)."""
        self._webhooks.labels(channel, result).inc()
