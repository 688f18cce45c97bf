"""Generates every event of the weeks before now, day by day."""
