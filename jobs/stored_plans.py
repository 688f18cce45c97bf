"""Stores the plans of versions in the state directory, so that each version can be submitted again.

The SQL of a version may not be in this checkout any more. A stored plan has placeholders instead of the
addresses and passwords of the servers, which are filled in when it is read. Redis does not have the plans,
because a plan names Java classes: a program that can write to Redis must not be able to run code in Flink.
"""

from dataclasses import replace
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from common.job_versions import versioned_name
from common.settings import Settings
from jobs.plan import JobPlan
from jobs.registry import JOBS, VERSIONED_PLANS

_VERSION_DIGITS = 8
_PLAN = TypeAdapter(JobPlan)

_PLACEHOLDERS = {
    "kafka_bootstrap": "kafka.placeholder:1",
    "registry_url": "http://schemas.placeholder",
    "redis_url": "redis://redis.placeholder",
    "clickhouse_url": "http://clickhouse.placeholder",
}
"""Setting → the address in stored plans, and in the plans from which versions are computed."""


def defined_version(job: str, settings: Settings) -> str:
    """Return the version that this checkout defines for a job."""
    return JOBS[job](_without_addresses(settings)).fingerprint()[:_VERSION_DIGITS]


def store_defined_plan(job: str, settings: Settings) -> str:
    """Store the plan of the version that this checkout defines for a job, and return the version."""
    version = defined_version(job, settings)
    store_plan(settings, VERSIONED_PLANS[job](_without_addresses(settings), version))
    return version


def store_plan(settings: Settings, plan: JobPlan) -> None:
    """Store a plan with placeholders instead of addresses."""
    path = _path(settings, plan.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(_PLAN.dump_json(plan))
    partial.replace(path)


def stored_plan(settings: Settings, name: str) -> JobPlan | None:
    """Return a stored plan with the present addresses, such as that of `rankings@1a2b3c4d`.

    Returns:
        None if no plan of this format is stored under this name.
    """
    addresses = (settings.kafka, settings.registry, settings.redis, settings.clickhouse)
    try:
        text = _path(settings, name).read_text(encoding="utf-8")
        for placeholder, address in zip(_PLACEHOLDERS.values(), addresses, strict=True):
            text = text.replace(placeholder, orjson.dumps(address).decode()[1:-1])
        plan = _PLAN.validate_json(text)
    except (FileNotFoundError, ValidationError):
        return None
    return replace(plan, config={**plan.config, "parallelism.default": str(settings.job_parallelism)})


def stored_versions(settings: Settings, job: str) -> set[str]:
    """Return the versions of a job of which a plan is stored."""
    names = (path.stem for path in _path(settings, "").parent.glob("*.json"))
    return {version for name in names for of, _, version in [name.partition("@")] if of == job}


def delete_plan(settings: Settings, job: str, version: str) -> None:
    """Delete the stored plan of a version."""
    _path(settings, versioned_name(job, version)).unlink(missing_ok=True)


def _without_addresses(settings: Settings) -> Settings:
    return settings.model_copy(update=_PLACEHOLDERS)


def _path(settings: Settings, name: str) -> Path:
    return settings.home / "flink" / "plans" / f"{name}.json"
