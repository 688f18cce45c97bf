"""Prometheus' configuration, the alerts of operators, and the objectives of the service."""
