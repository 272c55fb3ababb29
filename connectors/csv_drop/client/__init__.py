"""The folder as a client sees it: claiming, reading and grouping files that come, writing files that go."""
