"""Shape rows of queries into the answers of the API. Pure."""
