"""What is wrong is told once when it breaks and once when it mends; orders that are late are told of once.

Promises: what is told is what `status` judges, by the same rules; each alarm is told once each way, whoever looks and
whenever he dies. Called by the daemon every minute. Touches alarms, what is known of arrivals, late orders and events.
"""
