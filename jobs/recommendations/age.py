"""Exports how old the recommendations are: the newest events that job `recommendations` has read."""

from typing import Any

from common.job_versions import LIVE_FIELD, key_prefix, state_key
from common.metrics import RECOMMENDATIONS_AS_OF
from common.redis_client import as_part_unavailable
from common.settings import Settings

JOB = "recommendations"
AS_OF_KEY = "recommendations_as_of"
"""The hash that the live version of the job writes: kind of event → the time of the newest one, in Unix
seconds (`recommendations_as_of.sql`)."""


def export_recommendations_as_of(settings: Settings, client: Any) -> None:
    """Set `RECOMMENDATIONS_AS_OF` from what the live version has written to Redis.

    `client` is a `redis.Redis`, which decodes responses.

    Raises:
        PartUnavailable: Redis does not answer.
    """
    with as_part_unavailable(settings):
        live: str = client.hget(state_key(JOB), LIVE_FIELD) or ""
        moments: dict[str, str] = client.hgetall(f"{key_prefix(live)}{AS_OF_KEY}")
    for event, as_of_s in moments.items():
        RECOMMENDATIONS_AS_OF.labels(event).set(float(as_of_s))
