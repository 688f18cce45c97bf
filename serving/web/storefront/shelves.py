"""The rows of recommended products on a page: a page goes on without them when they can't be had."""

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

SHOWN: dict[Context, int] = {"home": 12, "product": 6, "cart": 6}
"""Products of a row."""

PATIENCE_S = 1.0
"""A row that takes longer is left out."""

T = TypeVar("T")
log = structlog.get_logger()


async def recommended(
    request: Request, session: str, surface: Context, product_id: str | None = None
) -> Recommendations | None:
    """What is recommended to a visitor; None while it is out of reach."""
    return await _or_none(_service(request).recommend(session, SHOWN[surface], surface, product_id))


async def similar(request: Request, product_id: str) -> dict[str, Any] | None:
    """What goes with a product, as a list that clicks can refer to; None while it is out of reach."""
    found = await _or_none(_service(request).similar(product_id, SHOWN["product"]))
    return {**found, "recommendation_id": new_id()} if found else None


def _service(request: Request) -> RecommendationService:
    service: RecommendationService = request.app.state.recommendations
    return service


async def _or_none(asked: Awaitable[T]) -> T | None:
    try:
        return await asyncio.wait_for(asked, PATIENCE_S)
    except (Problem, PartUnavailable, TimeoutError) as error:
        log.warning("a row is left out", reason=str(error))
        return None
