"""Turn rows of queries into responses of the API. Pure."""
