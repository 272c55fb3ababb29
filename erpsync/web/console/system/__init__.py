"""How the daemon stands: channels, reconciliation, the configuration in force, users and tokens."""
