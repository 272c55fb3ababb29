"""JD shops (POP merchants) through the JD Open Platform (JOS)."""
