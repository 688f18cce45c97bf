"""`/admin/trainings`: trainings of the recommender, which model is live, and the way back to the last one."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from common.ids import Id
from common.problems import Problem
from serving.gateway.gateway import identity_of
from serving.kit.domain import opened
from serving.kit.problems import ClickHouseUnavailable, RedisUnavailable
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.training_runs import ModelNotKept
from serving.web.admin.page import admin_page, admin_router
from serving.web.forms import BadField, Form, action
from serving.web.translation import N_, gettext

PATH = "/admin/trainings"

ON_PAGE = 20
"""The number of trainings on a page: about three weeks."""

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "running": (N_("Running"), "go"),
    "published": (N_("Published"), "good"),
    "kept": (N_("Not better"), ""),
    "too_little": (N_("Too little to learn from"), "wait"),
    "no_room": (N_("No room in Redis"), "bad"),
    "failed": (N_("Failed"), "bad"),
    "stopped": (N_("Stopped"), "wait"),
    "interrupted": (N_("Interrupted"), "wait"),
}
"""Outcome → its text, and the tone of its label."""

TRIGGERS: Mapping[str, str] = {
    "first": N_("First model"),
    "scheduled": N_("Every night"),
    "drift": N_("Drift of the data"),
    "requested": N_("Requested"),
    "not_recorded": N_("Not recorded"),
}

router = admin_router()


@router.get("/trainings")
async def trainings(
    request: Request, cursor: Annotated[str | None, Query(max_length=400)] = None
) -> Response:
    """Return a page of trainings, the newest first, with the live one marked."""
    try:
        page: Mapping[str, Any] = await opened(request, RecommendationsDomain).trainings.page(cursor, ON_PAGE)
    except ClickHouseUnavailable as problem:
        page = {"trainings": [], "live": None, "next_cursor": None}
        return _list(request, page, problem)
    return _list(request, page)


def _list(request: Request, page: Mapping[str, Any], problem: Problem | None = None) -> Response:
    return admin_page(
        request,
        "trainings.html",
        "trainings",
        problem,
        page=page,
        outcomes=OUTCOMES,
        triggers=TRIGGERS,
        is_first=request.query_params.get("cursor") is None,
    )


@router.get("/trainings/{training_id}")
async def training(request: Request, training_id: Id) -> Response:
    """Return a training with its card, and the button that goes back to its model."""
    return await _details(request)


@router.post("/trainings/{training_id}/rollback")
async def roll_back_training(request: Request, training_id: Id) -> Response:
    """Go back to the model of a training."""
    principal = identity_of(request).principal
    by = principal.subject if principal is not None else "unknown"

    async def roll_back(form: Form) -> None:
        reason = form.text("reason")
        if not 3 <= len(reason) <= 500:
            raise BadField(gettext("A reason of 3 to 500 characters is needed."))
        await opened(request, RecommendationsDomain).trainings.roll_back(training_id, by, reason)

    refusals = (ModelNotKept, RedisUnavailable)
    return await action(request, roll_back, _details, PATH, "rolled_back", refusals=refusals)


async def _details(
    request: Request, problem: Problem | None = None, _entered: Form | None = None
) -> Response:
    found = await opened(request, RecommendationsDomain).trainings.details(request.path_params["training_id"])
    card = found["card"] or {}
    return admin_page(
        request,
        "training.html",
        "trainings",
        problem,
        training=found,
        card=card,
        outcomes=OUTCOMES,
        triggers=TRIGGERS,
        models=[_evaluated(each) for each in card.get("judged", ())],
    )


def _evaluated(judged: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a model of the card: its name, settings, figures and how long it took to fit."""
    figures = {name: found for name, found in judged["figures"]["all"].items() if found["mean"] is not None}
    return {
        "model": judged["candidate"]["model"],
        "settings": judged["candidate"]["settings"],
        "figures": figures,
        "fit_s": judged["fit_s"],
    }
