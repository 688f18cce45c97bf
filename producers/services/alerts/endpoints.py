"""All endpoints of the service alerts."""

from fastapi import APIRouter

from producers.services.alerts import platform_endpoints, report_endpoints, rule_endpoints, view_endpoints

router = APIRouter()
router.include_router(rule_endpoints.router)
router.include_router(report_endpoints.router)
router.include_router(view_endpoints.router)
router.include_router(platform_endpoints.router)
