"""The dashboards, by the name of their file."""

from collections.abc import Callable

from grafana_foundation_sdk.builders.dashboard import Dashboard

from common.settings import Settings
from dashboards import api, marketplace, objectives, pipeline, recommender, seller, service, services

DASHBOARDS: dict[str, Callable[[Settings], Dashboard]] = {
    "pipeline": pipeline.dashboard,
    "marketplace": marketplace.dashboard,
    "seller": seller.dashboard,
    "recommender": recommender.dashboard,
    "objectives": objectives.dashboard,
    "api": api.dashboard,
    "services": services.dashboard,
    **service.dashboards(),
}
