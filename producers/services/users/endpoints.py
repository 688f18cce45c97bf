"""All endpoints of people: signing in, their own account, administration, and those for the platform."""

from fastapi import APIRouter

from producers.services.users import (
    account_endpoints,
    auth_endpoints,
    followed_endpoints,
    people_endpoints,
    platform_endpoints,
)

router = APIRouter(tags=["users"])
for part in (auth_endpoints, account_endpoints, followed_endpoints, people_endpoints, platform_endpoints):
    router.include_router(part.router)
