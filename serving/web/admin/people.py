"""`/admin/people`: finding people, their roles and their suspensions."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from common.ids import PRINTABLE, Id
from common.problems import Problem
from common.request_path import in_path
from serving.web.admin.page import Search, admin_page, admin_router
from serving.web.forms import Form, read_form, submit
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
    return await _person_page(request, user_id)


async def _person_page(
    request: Request, user_id: str, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    found = await ask(request, "GET", "/v1/people/{user_id}", user_id=user_id)
    return admin_page(request, "person.html", "people", problem, entered, person=found)


@router.post("/people/{user_id}/role")
async def set_role(request: Request, user_id: Id) -> Response:
    """Give a person a role."""
    form = await read_form(request)
    body = {"role": form.text("role")}
    return await _change(request, user_id, form, "PUT", "role", body, "role_set")


@router.post("/people/{user_id}/suspension")
async def suspend_person(request: Request, user_id: Id) -> Response:
    """Suspend a person with a reason."""
    form = await read_form(request)
    body = {"reason": form.text("reason")}
    return await _change(request, user_id, form, "POST", "suspension", body, "person_suspended")


@router.post("/people/{user_id}/reinstatement")
async def end_suspension(request: Request, user_id: Id) -> Response:
    """Let a suspended person sign in again."""
    form = await read_form(request)
    return await _change(request, user_id, form, "DELETE", "suspension", None, "person_reinstated")


async def _change(
    request: Request,
    user_id: str,
    form: Form,
    method: str,
    what: str,
    body: dict[str, str] | None,
    done: str,
) -> Response:
    async def change() -> None:
        await ask(request, method, f"/v1/people/{{user_id}}/{what}", body, user_id=user_id)

    async def page(problem: Problem) -> Response:
        return await _person_page(request, user_id, problem, form)

    return await submit(change, page, f"/admin/people/{in_path(user_id)}", done)
