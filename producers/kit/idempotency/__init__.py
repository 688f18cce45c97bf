"""Responses to requests with an `Idempotency-Key`, which services store for retries."""
