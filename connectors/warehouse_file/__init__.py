"""A warehouse that is run by files in two folders."""
