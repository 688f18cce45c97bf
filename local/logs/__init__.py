"""Reads the logs of all parts as one: lines parsed, merged by time, selected and printed."""
