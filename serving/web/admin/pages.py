"""All routes of the administration."""

from fastapi import APIRouter

from serving.web.admin import (
    commission,
    dead_letters,
    experiments,
    limits,
    overview,
    people,
    recommendations,
    sellers,
    settings,
    trainings,
)

ROUTERS: tuple[APIRouter, ...] = (
    overview.router,
    sellers.router,
    people.router,
    recommendations.router,
    settings.router,
    experiments.router,
    trainings.router,
    commission.router,
    dead_letters.router,
    limits.router,
)
