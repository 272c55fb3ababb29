"""A warehouse system that is called with signed JSON."""
