"""The comparisons that need more than two queries: each module's `run` yields what it compares."""
