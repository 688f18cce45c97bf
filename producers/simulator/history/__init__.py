"""The weeks before now: every event that happened in them, day after day."""
