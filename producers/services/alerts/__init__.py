"""Alerts about a seller's metrics, scheduled reports, and saved views of the metrics page."""
