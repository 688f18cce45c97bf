"""The saved views of the metrics page: its choices under a name, for all of a seller's staff."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from common.guarded_route import policy
from common.ids import Id
from common.problems import Problem
from common.request_path import in_path
from serving.kit.parameters import SellerId
from serving.web import presenters
from serving.web.forms import NO_STORE, Form, read_form, send
from serving.web.policy import OF_MANAGERS, OF_SELLER, page_router
from serving.web.service_calls import ask

CHOICES = ("metric", *presenters.PERIOD, "compare", "by")

TIMEOUT_S = 1.0
"""The metrics page waits at most this long for the views, which it can do without."""

router = page_router(OF_SELLER, "/sell/{seller_id}/metrics/views")


async def saved_views(request: Request) -> Sequence[Mapping[str, Any]] | None:
    """Return the saved views of a seller; None if the service alerts does not answer in time."""
    with suppress(Problem, TimeoutError):
        async with asyncio.timeout(TIMEOUT_S):
            found = await ask(request, "GET", "/v1/sellers/{seller_id}/views")
            return [{**view, "choices": _without_preset(view["choices"])} for view in found["views"]]
    return None


@router.post("")
@policy(OF_MANAGERS)
async def save_seller_view(request: Request, seller_id: SellerId) -> Response:
    """Save the choices of the form under its name, and show them again."""
    form = await read_form(request)
    choices = _choices(form)
    await send(request, form, "POST", "/v1/sellers/{seller_id}/views", choices=choices)
    return _shown(seller_id, choices)


@router.post("/{view_id}/removal")
@policy(OF_MANAGERS)
async def delete_seller_view(request: Request, seller_id: SellerId, view_id: Id) -> Response:
    """Delete a view, and show the choices of the form again."""
    form = await read_form(request)
    await ask(request, "DELETE", "/v1/sellers/{seller_id}/views/{view_id}")
    return _shown(seller_id, _choices(form))


def _without_preset(choices: Mapping[str, str]) -> dict[str, str]:
    """Return the choices of a view as the page has them: without a preset if days were chosen."""
    has_days = not choices.keys().isdisjoint(presenters.DAYS)
    return {name: value for name, value in choices.items() if name != "period" or not has_days}


def _choices(form: Form) -> dict[str, str]:
    return {name: form.text(name) for name in CHOICES if form.text(name)}


def _shown(seller_id: str, choices: Mapping[str, str]) -> Response:
    path = f"/sell/{in_path(seller_id)}/metrics"
    return RedirectResponse(f"{path}?{urlencode(choices)}#views", 303, NO_STORE)
