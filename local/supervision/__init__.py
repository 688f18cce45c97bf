"""Keeps processes running: who starts them, who they are, and how stray ones are ended."""
