"""Departments that are told: routes from events, through a channel, to people.

Promises: what is told was accepted by the platform, at least once and with the same id; quiet hours and budgets hold;
no name, phone, address or note leaves. A route that does not get through is a task and never a message through itself.
Called by the daemon's message stage, `routes` commands and the console. Touches routes, dead letters and tasks.
"""
