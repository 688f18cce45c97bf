"""All routes of the pages of sellers."""

from fastapi import APIRouter

from serving.web.seller import (
    alerts,
    application,
    change,
    costs,
    customers,
    earnings,
    fulfilment,
    imports,
    listing,
    listings,
    live,
    metrics,
    overview,
    pictures,
    recommendations,
    replies,
    restocking,
    reviews,
    settings,
    sql,
    views,
    vouchers,
)

ROUTERS: tuple[APIRouter, ...] = (
    application.router,  # /sell/apply before /sell/{seller_id}
    overview.router,
    metrics.router,
    change.router,
    customers.router,
    live.router,
    earnings.router,
    fulfilment.router,
    listings.router,
    listing.router,
    pictures.router,
    imports.router,
    restocking.router,
    reviews.router,
    replies.router,
    recommendations.router,
    sql.router,
    alerts.router,
    views.router,
    settings.router,
    costs.router,
    vouchers.router,
)
