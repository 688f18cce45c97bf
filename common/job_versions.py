"""The names of a job's versions: in Redis, in Flink and as consumer groups.

A job that writes to Redis has versions (`jobs/versions.py`). Each version has keys of its own, and readers
read the keys of the live version: `1a2b3c4d:popular_products`. A job that has no version yet writes and reads
keys without a prefix.
"""

VERSIONED_JOBS = ("rankings", "recommendations")
"""The jobs that write to Redis."""

JOBS = ("facts", *VERSIONED_JOBS, "signals")
"""All jobs, in the order of submission. `jobs/registry.py` has their plans."""

LIVE_FIELD = "live"
"""The field of the hash `state_key(job)` with the version that readers use. It is missing if they use keys
without a prefix."""


def state_key(job: str) -> str:
    """Return the key of the hash in Redis that says which versions of a job exist, and which one is live."""
    return f"versions:{job}"


def key_prefix(version: str) -> str:
    """Return the prefix of the keys that a version writes; `version` is empty for keys without a prefix."""
    return f"{version}:" if version else ""


def versioned_name(job: str, version: str) -> str:
    """Return the name of a version in Flink, which is also its consumer group: `rankings@1a2b3c4d`."""
    return f"{job}@{version}" if version else job
