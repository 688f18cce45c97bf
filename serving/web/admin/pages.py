"""All routes of the administration."""

from fastapi import APIRouter

from serving.web.admin import (
    audits,
    categories,
    commission,
    dead_letters,
    experiments,
    listings,
    operations,
    overview,
    people,
    recommendation_health,
    recommendations,
    reviews,
    sellers,
    settings,
    trainings,
    vouchers,
)

ROUTERS: tuple[APIRouter, ...] = (
    overview.router,
    operations.router,
    audits.router,
    sellers.router,
    people.router,
    recommendations.router,
    recommendation_health.router,
    settings.router,
    experiments.router,
    trainings.router,
    commission.router,
    reviews.router,
    listings.router,
    categories.router,
    vouchers.router,
    dead_letters.router,
)
