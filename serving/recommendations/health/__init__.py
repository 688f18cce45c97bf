"""The health of recommendations: who is shown, coverage, popularity, variety, clicks, fallbacks."""
