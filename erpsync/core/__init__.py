"""Pure decisions: functions of (order, stock, policy, time). No clock, no network, no database in here."""
