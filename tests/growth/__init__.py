"""How the product does as its history grows: a seeded database per size and engine, and what is measured on it."""
