"""Reads lines that a process of the platform has logged, and checks that each is complete."""

import json
from collections.abc import Iterable
from typing import Any


def read_structured(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Return the fields of each line; fail the test if one is no JSON or lacks a field that all have."""
    return [_fields(line) for line in lines]


def _fields(line: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(line)
    assert content["timestamp"].endswith("Z"), line
    assert all(content[name] for name in ("level", "process", "pid", "event")), line
    assert content["correlation_id"], line
    assert len(content["trace_id"]) == 32, line
    return content
