"""The shop's rules for recommendations: pure functions, applied once to the candidates of an answer."""
