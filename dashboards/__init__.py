"""Grafana dashboards for operators, written in Python, and the Prometheus rules."""
