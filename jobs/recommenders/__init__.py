"""Models that recommend, and what judges and chooses them: a library that knows no server and no engine."""
