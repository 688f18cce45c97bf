"""Reads the form that defines an experiment: one strategy against the default."""

from datetime import datetime
from decimal import Decimal

import orjson

from common.experiments.definition import DEFAULT_STRATEGY, Experiment
from common.experiments.reading import BadExperiment, read_experiments, write_experiments
from serving.web.forms import BadField, Form
from serving.web.renderer import PageRenderer
from serving.web.translation import gettext


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
