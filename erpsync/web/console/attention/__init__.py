"""What waits for people, and what was done: tasks, dead letters, the trail."""
