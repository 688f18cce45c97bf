"""Reads the versions of each event schema on the main branch from git."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAIN_BRANCHES = ("refs/remotes/origin/main", "refs/heads/main")
BREAK_TRAILER = "Schema-Break"
"""A commit with this trailer (`Schema-Break: order_placed`) restarts the history of that event."""

_EVENTS = "schemas/events"
_DELETED_BLOB = "0" * 40


@dataclass(frozen=True)
class SchemaHistory:
    """Versions of each schema (event → parsed JSON, newest first), the branch and a note."""

    versions: dict[str, list[Any]] = field(default_factory=dict)
    base: str = ""
    note: str = ""


def read(root: Path) -> SchemaHistory:
    """Return the history of `root`'s schemas on the main branch; empty, with a note, if there is none."""
    if _git(root, "rev-parse", "--git-dir") is None:
        return SchemaHistory(note="this is not a git checkout")
    known = (
        ref for ref in MAIN_BRANCHES if _git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
    )
    if (base := next(known, None)) is None:
        return SchemaHistory(note="there is no main branch yet")
    shallow = (_git(root, "rev-parse", "--is-shallow-repository") or "").strip() == "true"
    note = (
        "the clone is shallow, so older versions were not checked: run `git fetch --unshallow`"
        if shallow
        else ""
    )
    restarted = set(_restarted_events(_git(root, "log", f"--format={_TRAILERS}", f"{base}..HEAD") or ""))
    return SchemaHistory(
        _versions(root, base, restarted), base.rpartition("refs/")[2].partition("/")[2], note
    )


_TRAILERS = f"%(trailers:key={BREAK_TRAILER},valueonly,separator=%x2C)"


def _versions(root: Path, base: str, restarted: set[str]) -> dict[str, list[Any]]:
    """Walk the first-parent commits of main, newest first, until each event's history starts."""
    log = _git(
        root, "log", "--first-parent", "-m", "--raw", "--no-abbrev", "--no-renames",
        f"--format=commit\t{_TRAILERS}", base, "--", _EVENTS,
    ) or ""  # fmt: skip
    blobs: dict[str, list[str]] = {}
    closed, closing = set(restarted), set[str]()
    for line in log.splitlines():
        if line.startswith("commit\t"):
            closed |= closing
            closing = set(_restarted_events(line.partition("\t")[2]))
        elif line.startswith(":"):
            details, _, path = line.partition("\t")
            blob, name = details.split()[3], Path(path).stem
            if path.endswith(".avsc") and name not in closed:
                blobs.setdefault(name, [])
                if blob != _DELETED_BLOB:
                    blobs[name].append(blob)
    texts = _contents(root, {blob for of_event in blobs.values() for blob in of_event})
    return {
        name: [json.loads(texts[blob]) for blob in dict.fromkeys(of_event) if _is_json(texts[blob])]
        for name, of_event in blobs.items()
    }


def _restarted_events(trailers: str) -> Iterator[str]:
    for value in trailers.replace("\n", ",").split(","):
        if value.strip():
            yield value.split()[0]


def _contents(root: Path, blobs: set[str]) -> dict[str, str]:
    request = "".join(f"{blob}\n" for blob in sorted(blobs))
    output = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=root, input=request.encode(), capture_output=True, check=True
    ).stdout
    found, at = {}, 0
    while at < len(output):
        end = output.index(b"\n", at)
        blob, _, size = output[at:end].decode().split()
        found[blob] = output[end + 1 : end + 1 + int(size)].decode()
        at = end + 1 + int(size) + 1
    return found


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _git(root: Path, *arguments: str) -> str | None:
    """Return git's output, None if git fails or is not installed."""
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
