"""Stops arms that break a guardrail, by the results that the API shows to administrators.

A stop is a version of the setting, with this worker as its author and the guardrail as its reason. If
somebody changes the experiments meanwhile, nothing is changed, and the next round decides on the new
definitions.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import httpx
import structlog

from common.configuration.definitions import EXPERIMENTS
from common.experiments.changes import arm_stopped
from common.experiments.definition import Experiment
from common.experiments.reading import BadExperiment, read_experiments, write_experiments
from common.metrics import UNEXPECTED_ERRORS
from common.principal import platform
from common.principal_token import PlatformToken
from common.problems import Problem
from common.request_path import in_path
from common.settings import Settings
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll
from producers.services.configuration import store
from producers.services.configuration.changes import change_setting
from producers.services.configuration.model import Change, default_version
from producers.services.configuration.problems import BAD_VALUE, CHANGED_MEANWHILE

log = structlog.get_logger()

WORKER = "guardrails"
INTERVAL_S = 60.0
TIMEOUT_S = 30.0
AUTHOR = platform(WORKER).subject


async def run_guardrails(transactions: Transactions, settings: Settings) -> None:
    """Check the guardrails of running experiments every minute, until cancelled."""
    UNEXPECTED_ERRORS.labels("configuration", WORKER)  # creates the series with 0, which the alert needs
    async with httpx.AsyncClient(
        base_url=settings.serving,
        auth=PlatformToken(settings, WORKER),
        timeout=TIMEOUT_S,
        trust_env=False,
    ) as http:
        check = partial(check_guardrails, transactions, http)
        await poll(f"configuration {WORKER}", INTERVAL_S, check)


async def check_guardrails(transactions: Transactions, http: httpx.AsyncClient) -> int:
    """Stop each arm of a running experiment that breaks a guardrail, and return the number of stopped arms.

    Without results, nothing is known and nothing is stopped.

    Raises:
        one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable.
    """
    async with transactions.connection() as sql:
        current = (await store.find_current(sql)).get(EXPERIMENTS.name) or default_version(EXPERIMENTS)
    experiments, now, count = read_experiments(str(current.value)), transactions.clock(), 0
    changed, reasons = experiments, []
    for experiment in experiments:
        if not experiment.guardrails or not experiment.is_running(now):
            continue
        for arm, metric in await _breaches(http, experiment):
            try:
                changed = arm_stopped(changed, experiment.name, arm, now)
            except BadExperiment:
                continue  # it has stopped already
            reasons.append(f"arm {arm} of {experiment.name} breaks the guardrail of {metric}")
            count += 1
    if count:
        await _save(transactions, changed, reasons, current.version)
    return count


async def _breaches(http: httpx.AsyncClient, experiment: Experiment) -> list[tuple[str, str]]:
    """Return (arm, metric) of each broken guardrail; none while the results can't be read."""
    try:
        response = await http.get(f"/v1/admin/experiments/{in_path(experiment.name)}")
        content: Any = response.raise_for_status().json()
        return [(arm["name"], arm["breached"]) for arm in content["arms"] if arm["breached"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        log.warning("guardrails are not checked", experiment=experiment.name, reason=str(error))
        return []


async def _save(
    transactions: Transactions, experiments: tuple[Experiment, ...], reasons: Sequence[str], version: int
) -> None:
    reason = "; ".join(reasons)[:500]
    try:
        async with transactions.begin(Trace.start(EXPERIMENTS.name, None)) as tx:
            text = write_experiments(experiments)
            await change_setting(tx, EXPERIMENTS, text, Change(AUTHOR, reason, version))
    except Problem as error:
        if CHANGED_MEANWHILE.matches(error):
            log.info("experiments have changed meanwhile", reason=reason)
            return
        if not BAD_VALUE.matches(error):
            raise
        log.error("an arm can't be stopped", reason=str(error))
        UNEXPECTED_ERRORS.labels("configuration", WORKER).inc()
    else:
        log.warning("arms are stopped", reason=reason)
