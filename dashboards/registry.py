"""The dashboards, by the name of their file."""

from collections.abc import Callable

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards import marketplace, pipeline, recommender, seller, services

DASHBOARDS: dict[str, Callable[[Settings], Dashboard]] = {
    "pipeline": pipeline.dashboard,
    "marketplace": marketplace.dashboard,
    "seller": seller.dashboard,
    "services": services.dashboard,
    "recommender": recommender.dashboard,
}
