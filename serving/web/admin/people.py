"""`/admin/people`: finding people, their roles and their suspensions."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE, Id
from common.problems import Problem
from serving.web.admin.page import Search, admin_page, admin_router
from serving.web.forms import Form, action, sending
from serving.web.service_calls import ask

router = admin_router()


@router.get("/people")
async def people(
    request: Request,
    q: Search = "",
    cursor: Annotated[str | None, Query(max_length=200, pattern=PRINTABLE)] = None,
) -> Response:
    """Return the people whose e-mail address or name contains a text, the newest first."""
    found = await ask(request, "GET", "/v1/people", query={"q": q or None, "cursor": cursor})
    return admin_page(
        request, "people.html", "people", q=q, people=found["people"], next_cursor=found["next_cursor"]
    )


@router.get("/people/{user_id}")
async def person(request: Request, user_id: Id) -> Response:
    """Return a person with their role, sellers and sessions."""
    return await _person_page(request)


async def _person_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    found = await ask(request, "GET", "/v1/people/{user_id}")
    return admin_page(request, "person.html", "people", problem, entered, person=found)


@router.post("/people/{user_id}/role")
async def set_role(request: Request, user_id: Id) -> Response:
    """Give a person a role."""
    return await _change(request, "PUT", "/v1/people/{user_id}/role", "role_set")


@router.post("/people/{user_id}/suspension")
async def suspend_person(request: Request, user_id: Id) -> Response:
    """Suspend a person with a reason."""
    return await _change(request, "POST", "/v1/people/{user_id}/suspension", "person_suspended")


@router.post("/people/{user_id}/reinstatement")
async def end_suspension(request: Request, user_id: Id) -> Response:
    """Let a suspended person sign in again."""
    return await _change(request, "DELETE", "/v1/people/{user_id}/suspension", "person_reinstated")


async def _change(request: Request, method: str, path: str, done: str) -> Response:
    change = sending(request, method, path)
    return await action(request, change, _person_page, "/admin/people/{user_id}", done)
