"""Measures what telemetry costs."""
