"""Looks up the names of the sellers for which a person works."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from common.errors import PartUnavailable
from common.problems import Problem
from serving.kit.names import Names

NAMES_TIMEOUT_S = 1.0
"""After this time, sellers are shown without names."""

log = structlog.get_logger()


async def named_sellers(seller_ids: Sequence[str], names: Names) -> list[dict[str, str | None]]:
    """Return `seller_id` and `name` of these sellers; the name is None if it is unknown."""
    found: Mapping[str, str | None] = {}
    if seller_ids:
        try:
            found = await asyncio.wait_for(names.of_sellers(seller_ids), NAMES_TIMEOUT_S)
        except (Problem, PartUnavailable, TimeoutError) as error:
            log.warning("sellers are shown without names", reason=str(error))
    return [{"seller_id": seller_id, "name": found.get(seller_id)} for seller_id in seller_ids]
