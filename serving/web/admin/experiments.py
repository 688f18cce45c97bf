"""`/admin/experiments`: experiments with recommendations, their results, and how they start and stop."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import orjson
from fastapi import Path, Request
from starlette.responses import Response

from common.configuration.definitions import EXPERIMENTS
from common.experiments import changes
from common.experiments.assignment import HOLDOUT
from common.experiments.definition import DEFAULT_STRATEGY, STRATEGIES, SURFACES, Experiment
from common.experiments.reading import BadExperiment, read_experiments, write_experiments
from common.ids import PRINTABLE
from common.problems import Problem
from serving.analytics import dependencies
from serving.kit.domain import opened
from serving.kit.problems import ClickHouseUnavailable
from serving.kit.response_types import ConfidenceInterval
from serving.kit.training_runs import Training
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.experiment_schemas import MetricResult
from serving.recommendations.experiments import definition
from serving.web.admin.page import admin_page, admin_router
from serving.web.admin.settings import find_setting, save_setting
from serving.web.forms import BadField, Form, action
from serving.web.renderer import PageRenderer
from serving.web.service_calls import Refusal
from serving.web.translation import N_, gettext


def read_definition(form: Form, pages: PageRenderer, now: datetime) -> Experiment:
    """Return the experiment of a form. Both arms have the same share; the first is the default strategy.

    Raises:
        BadField: a field can't be used.
    """
    zone = pages.formatter.zone
    start = form.midnight("start", gettext("The first day"), zone)
    stop = form.midnight("stop", gettext("The day after the last"), zone)
    share = _share(form.number("share", gettext("The share")), gettext("The share"))
    guardrails = []
    if form.text("max_loss"):
        loss = _share(form.number("max_loss", gettext("The loss")), gettext("The loss"))
        guardrails = [{"metric": metric, "max_loss": loss} for metric in ("conversion", "revenue")]
    strategy = form.text("strategy")
    definition = {
        "name": form.text("name"),
        "surface": form.text("surface"),
        "salt": now.date().isoformat(),
        "start": (start or now).isoformat(),
        "stop": stop.isoformat() if stop else None,
        "arms": [
            {"name": DEFAULT_STRATEGY, "strategy": DEFAULT_STRATEGY, "share": share / 2},
            {"name": strategy, "strategy": strategy, "share": share / 2},
        ],
        "guardrails": guardrails,
    }
    try:
        (experiment,) = read_experiments(orjson.dumps([definition]).decode())
    except BadExperiment as error:
        raise BadField(str(error)) from error
    return experiment


def with_added(text: str, experiment: Experiment) -> str:
    """Return the definitions with one more.

    Raises:
        BadField: it can't run beside the others.
    """
    added = write_experiments((*read_experiments(text), experiment))
    try:
        return write_experiments(read_experiments(added))
    except BadExperiment as error:
        raise BadField(str(error)) from error


def _share(percentage: Decimal, what: str) -> float:
    if not 0 < percentage <= 100:
        raise BadField(gettext("%(what)s must be a percentage above 0 and up to 100.", what=what))
    return float(percentage) / 100


WIDTH = 200.0
"""The width of a picture, in units of its view box."""

LARGEST = 1.0
"""A relative difference beyond 100 % is drawn at the edge."""


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """The bar: its left end and width, and the place of the estimate, in units of the view box."""

    left: float
    width: float
    estimate: float
    zero: float = WIDTH / 2


def scale_of(metrics: Iterable[MetricResult]) -> float:
    """Return the largest relative difference that any interval reaches, at least 1 % and at most `LARGEST`.

    All bars of a page have this scale, so that they can be compared.
    """
    bounds = (
        max(abs(each["relative"]["low"]), abs(each["relative"]["high"]))
        for each in metrics
        if each["relative"] is not None
    )
    return min(LARGEST, max((0.01, *bounds)))


def bar_of(interval: ConfidenceInterval, scale: float) -> IntervalBar:
    """Return the bar of a relative difference."""
    low, estimate, high = (_place(interval[name], scale) for name in ("low", "estimate", "high"))
    return IntervalBar(low, max(1.0, high - low), estimate)


def _place(value: float, scale: float) -> float:
    return round(WIDTH / 2 * (1 + max(-1.0, min(1.0, value / scale))), 1)


PATH = "/admin/experiments"

METRICS: Mapping[str, str] = {
    "conversion": N_("Conversion of sessions"),
    "revenue": N_("Net sales per session"),
    "click_rate": N_("Clicked lists"),
}
VERDICTS: Mapping[str, tuple[str, str]] = {
    "not_enough_data": (N_("Not enough data"), "wait"),
    "better": (N_("Better than control"), "good"),
    "worse": (N_("Worse than control"), "bad"),
    "no_difference_found": (N_("No difference found"), ""),
    "sample_ratio_mismatch": (N_("Not to be trusted"), "bad"),
}
"""Verdict → its text, and the tone of its label."""

STATES: Mapping[str, tuple[str, str]] = {
    "scheduled": (N_("Scheduled"), "wait"),
    "running": (N_("Running"), "good"),
    "stopped": (N_("Stopped"), ""),
}
SURFACE_NAMES: Mapping[str, str] = {
    "home": N_("Home page"),
    "product": N_("Page of a product"),
    "cart": N_("Cart"),
    "all": N_("All pages"),
}

Name = Annotated[str, Path(min_length=1, max_length=60, pattern=PRINTABLE)]

router = admin_router()


@router.get("/experiments")
async def experiments(request: Request) -> Response:
    """Return all experiments, how strategies are judged on the log, and the form that defines one."""
    return await _list_page(request)


async def _list_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    now = dependencies.now(request)
    defined = read_experiments((await _setting(request))["value"])
    return admin_page(
        request,
        "experiments.html",
        "experiments",
        problem,
        entered,
        experiments=[definition(each, now) for each in reversed(defined)],
        strategies=[(name, name) for name in STRATEGIES if name != DEFAULT_STRATEGY],
        surfaces=[(name, SURFACE_NAMES[name]) for name in SURFACES],
        surface_names=SURFACE_NAMES,
        states=STATES,
        holdout=HOLDOUT,
        judging=await _newest_judging(request),
    )


async def _newest_judging(request: Request) -> Training | None:
    service = opened(request, RecommendationsDomain).trainings
    try:
        return await service.newest_judging()
    except ClickHouseUnavailable:
        return None


@router.get("/experiments/{name}")
async def experiment(request: Request, name: Name) -> Response:
    """Return the results of an experiment, with the buttons that stop it or an arm."""
    service = opened(request, RecommendationsDomain).experiments
    results = await service.results(name)
    scale = scale_of(metric for arm in results["arms"] for metric in arm["metrics"])
    return admin_page(
        request,
        "experiment.html",
        "experiments",
        results=results,
        is_holdout=name == HOLDOUT,
        now=dependencies.now(request),
        scale=scale,
        bar_of=lambda interval: bar_of(interval, scale),
        metrics=METRICS,
        verdicts=VERDICTS,
        states=STATES,
        surface_names=SURFACE_NAMES,
    )


@router.post("/experiments")
async def define_experiment(request: Request) -> Response:
    """Add an experiment."""

    async def define(form: Form) -> None:
        definition = read_definition(form, opened(request, PageRenderer), dependencies.now(request))
        setting = await _setting(request)
        value = with_added(setting["value"], definition)
        await save_setting(request, form, EXPERIMENTS.name, value, setting["version"])

    return await action(request, define, _list_page, PATH, "experiment_defined")


@router.post("/experiments/{name}/start")
async def start_experiment(request: Request, name: Name) -> Response:
    """Start an experiment now that would start later."""
    return await _change(request, lambda found, now: changes.started(found, name, now), "experiment_started")


@router.post("/experiments/{name}/stop")
async def stop_experiment(request: Request, name: Name) -> Response:
    """Stop an experiment now. One that has not started yet is removed."""
    return await _change(request, lambda found, now: changes.stopped(found, name, now), "experiment_stopped")


@router.post("/experiments/{name}/arms/{arm}/stop")
async def stop_arm(request: Request, name: Name, arm: Name) -> Response:
    """Stop an arm now. Its visitors get the default strategy."""
    return await _change(
        request, lambda found, now: changes.arm_stopped(found, name, arm, now), "arm_stopped"
    )


async def _change(
    request: Request,
    change: Callable[[tuple[Experiment, ...], datetime], tuple[Experiment, ...]],
    done: str,
) -> Response:
    async def save(form: Form) -> None:
        setting = await _setting(request)
        try:
            now = dependencies.now(request)
            changed = write_experiments(change(read_experiments(setting["value"]), now))
        except BadExperiment as error:
            raise BadField(str(error)) from error
        await save_setting(request, form, EXPERIMENTS.name, changed, setting["version"])

    return await action(request, save, _list_page, PATH, done)


async def _setting(request: Request) -> dict[str, Any]:
    """Return the setting with all experiments.

    Raises:
        BadField: the service is of a version that has none.
    """
    try:
        return await find_setting(request, EXPERIMENTS.name)
    except Refusal as problem:
        if problem.status != 404:
            raise
        raise BadField(
            gettext("The configuration service does not know experiments yet. Update it.")
        ) from problem
