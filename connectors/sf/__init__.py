"""SF Express through its open platform Fengqiao."""
