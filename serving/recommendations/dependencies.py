"""The open domain of recommendations, and the parts of it that routes and pages read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from serving.kit.domain import part_of
from serving.kit.product_lists import ProductLists
from serving.recommendations.experiments import ExperimentsService, UpliftService
from serving.recommendations.health import RecommendationHealthService
from serving.recommendations.service import RecommendationService
from serving.recommendations.training_runs import TrainingsService

FollowedSellers = Callable[[Request], Awaitable[frozenset[str]]]
"""Returns the sellers that the sender of a request follows; raises `CommerceUnavailable`."""


@dataclass(frozen=True, slots=True)
class RecommendationsDomain:
    """Recommendations, the experiments and trainings behind them, and how healthy they are."""

    service: RecommendationService
    experiments: ExperimentsService
    uplift: UpliftService
    health: RecommendationHealthService
    trainings: TrainingsService
    product_lists: ProductLists
    followed_sellers: FollowedSellers
    check_setting: Callable[[str, object], Awaitable[None]]
    """Raises `UnusableEntry` if a change of a setting, by its name, would add rules without effect."""


RecommendationsDep = Annotated[
    RecommendationService, Depends(part_of(RecommendationsDomain, lambda domain: domain.service))
]
