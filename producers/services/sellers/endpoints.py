"""All routes of sellers: applications, profiles and suspensions, staff, invitations, keys, money."""

from fastapi import APIRouter

from producers.services.sellers import (
    api_key_endpoints,
    application_endpoints,
    commission_endpoints,
    cost_endpoints,
    invitation_endpoints,
    platform_endpoints,
    profile_endpoints,
    staff_endpoints,
)

router = APIRouter()
for each in (
    application_endpoints,
    profile_endpoints,
    staff_endpoints,
    invitation_endpoints,
    api_key_endpoints,
    commission_endpoints,
    cost_endpoints,
    platform_endpoints,
):
    router.include_router(each.router)
