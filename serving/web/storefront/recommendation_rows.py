"""Loads the rows of recommended products of a page. A page is shown without a row that can't be loaded."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import structlog
from fastapi import Request

from common.errors import PartUnavailable
from common.ids import new_id
from common.problems import Problem
from serving.recommendations.schemas import Recommendations
from serving.recommendations.service import Context, RecommendationService

ROW_LENGTH: dict[Context, int] = {"home": 12, "product": 6, "cart": 6}
"""The number of products in a row."""

ROW_TIMEOUT_S = 1.0
"""A row that takes longer is left out."""

T = TypeVar("T")
log = structlog.get_logger()


async def recommended(
    request: Request, session: str, surface: Context, product_id: str | None = None
) -> Recommendations | None:
    """Return the recommendations for a visitor; None if they can't be loaded."""
    return await _or_none(_service(request).recommend(session, ROW_LENGTH[surface], surface, product_id))


async def similar(request: Request, product_id: str) -> dict[str, Any] | None:
    """Return similar products with an id that clicks can refer to; None if they can't be loaded."""
    found = await _or_none(_service(request).similar(product_id, ROW_LENGTH["product"]))
    return {**found, "recommendation_id": new_id()} if found else None


def _service(request: Request) -> RecommendationService:
    service: RecommendationService = request.app.state.recommendations
    return service


async def _or_none(awaitable: Awaitable[T]) -> T | None:
    try:
        return await asyncio.wait_for(awaitable, ROW_TIMEOUT_S)
    except (Problem, PartUnavailable, TimeoutError) as error:
        log.warning("a row is left out", reason=str(error))
        return None
