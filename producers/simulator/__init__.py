"""A seeded marketplace that behaves: weeks of history, then live traffic, and the truth behind both."""
