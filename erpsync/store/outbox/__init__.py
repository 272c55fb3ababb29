"""Effects that other systems are to carry out: enqueued, claimed under a lease, retried, parked, ended."""
