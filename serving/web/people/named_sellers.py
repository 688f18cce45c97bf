"""Looks up the names of the sellers for which a person works."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from common.errors import PartUnavailable
from common.problems import Problem
from serving.products.service import Catalogue

NAMES_TIMEOUT_S = 1.0
"""After this time, sellers are shown without names."""

log = structlog.get_logger()


async def named_sellers(seller_ids: Sequence[str], catalogue: Catalogue) -> list[dict[str, str | None]]:
    """Return `seller_id` and `name` of these sellers; the name is None if it is unknown."""
    names: Mapping[str, str | None] = {}
    if seller_ids:
        try:
            names = await asyncio.wait_for(catalogue.seller_names(seller_ids), NAMES_TIMEOUT_S)
        except (Problem, PartUnavailable, TimeoutError) as error:
            log.warning("sellers are shown without names", reason=str(error))
    return [{"seller_id": seller_id, "name": names.get(seller_id)} for seller_id in seller_ids]
