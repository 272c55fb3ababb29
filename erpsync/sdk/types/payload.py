"""A payload as a channel gave it: what JSON can hold, by the channel's own names."""

from collections.abc import Mapping
from typing import Any

Payload = Mapping[str, Any]
