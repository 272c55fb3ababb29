"""Whether a warehouse's count is so far from what is known that a person should look."""

from erpsync.core.policy import CountPolicy


def is_far(before: int, after: int, policy: CountPolicy) -> bool:
    """Return whether two counts lie further apart than both limits allow; the share is of the smaller one."""
    apart = abs(after - before)
    return apart > policy.ask_units and apart > policy.ask_share * min(before, after)
