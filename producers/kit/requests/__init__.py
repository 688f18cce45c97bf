"""Requests to other services that a transaction writes, sent until they are answered."""
