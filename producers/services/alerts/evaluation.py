"""Evaluates rules whose hour, day or week is over, with the figures that the API shows to the seller.

A rule is leased, its figures are read without a transaction, and one transaction stores what was found with
its message and event. After a crash in between, the lease ends and the evaluation is repeated. Two
evaluations of the same values change the rule once.
"""

from datetime import timedelta

import structlog

from common.ids import new_id
from common.metrics import UNEXPECTED_ERRORS
from common.settings import Settings
from producers.kit.http.peers import Peers
from producers.kit.http.problems import ServiceNotReady
from producers.kit.makers import Makers
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll, run_isolated
from producers.services.alerts import store
from producers.services.alerts.figures import (
    CatalogueEntry,
    FiguresClient,
    FiguresRefused,
    FiguresUnavailable,
    Series,
)
from producers.services.alerts.message_store import add_alert_message, disable_rule, raise_alert
from producers.services.alerts.model import (
    MAKER_LEFT,
    MAKER_UNKNOWN,
    WRITE_WITH_SECRET,
    MessageKind,
    Verdict,
    message_kind,
    progress_after,
)
from producers.services.alerts.store import Rule
from producers.services.alerts.texts import alert_text
from producers.services.alerts.windows import Observation, new_observations, next_evaluation, requested_period

log = structlog.get_logger()

WORKER = "evaluation"
INTERVAL_S = 5.0
AT_ONCE = 4
"""The rules that are evaluated at the same time. Each reads up to seven weeks of hours."""

LEASE = timedelta(minutes=2)
RETRY_AFTER = timedelta(minutes=1)
"""Time to the next attempt after the figures were unavailable."""

LATE, LATE_RETRY_AFTER = timedelta(hours=3), timedelta(minutes=15)
"""If figures are complete only up to so long ago, as in a shop of the past, they are asked for less often."""

REFUSED_RETRY_AFTER = timedelta(hours=1)
"""Time to the next attempt after the API refused the request, such as that for a metric that was removed."""


async def run_evaluation(transactions: Transactions, settings: Settings) -> None:
    """Evaluate rules when they are due, until cancelled."""
    UNEXPECTED_ERRORS.labels("alerts", WORKER)  # creates the series with 0, which the alert needs
    async with FiguresClient(settings) as figures:
        evaluator = Evaluator(transactions, figures, Makers(Peers(settings, "alerts")), settings)
        await poll(
            f"alerts {WORKER}", INTERVAL_S, evaluator.evaluate_due, settings.stop_timeout_s, drains=True
        )


class Evaluator:
    """Evaluates rules. Several processes may do so at the same time: each rule has one at a time."""

    def __init__(
        self, transactions: Transactions, figures: FiguresClient, makers: Makers, settings: Settings
    ) -> None:
        self._transactions = transactions
        self._figures = figures
        self._makers = makers
        self._zone = settings.timezone
        self._site = settings.public

    async def evaluate_due(self) -> int:
        """Evaluate a few rules that are due, and return their number.

        Raises:
            one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable.
        """
        async with self._transactions.connection() as sql:
            claimed = await store.claim_rules(sql, self._transactions.clock(), LEASE, AT_ONCE)
        await run_isolated("alerts", WORKER, [self.evaluate(rule) for rule in claimed if rule.is_approved])
        return len(claimed)

    async def evaluate(self, rule: Rule) -> None:
        """Evaluate a rule with the values that are complete and were not evaluated yet.

        While the figures can't be read, nothing is known: the rule keeps its state, and is evaluated later. A
        rule whose maker may not make it any more is paused.
        """
        now = self._transactions.clock()
        try:
            if await self._makers.find(rule.made, WRITE_WITH_SECRET) is None:
                async with self._transactions.begin(Trace.start(rule.rule_id, None)) as tx:
                    await disable_rule(tx, rule.seller_id, rule.rule_id, MAKER_LEFT)
                return
            metric, series = await self._read(rule)
        except ServiceNotReady:
            await self._postpone(rule, RETRY_AFTER, MAKER_UNKNOWN)
            return
        except FiguresUnavailable as error:
            await self._postpone(rule, RETRY_AFTER, f"The figures could not be read: {error}.")
            return
        except FiguresRefused as error:
            await self._postpone(rule, REFUSED_RETRY_AFTER, str(error))
            return
        observations = (
            new_observations(series.buckets, rule.window, series.as_of, rule.evaluated_until)
            if series.as_of
            else []
        )
        if observations:
            await self._save(rule, metric, series.currency, observations)
        else:
            again = next_evaluation(rule.window, rule.evaluated_until, now, self._zone)
            if series.as_of is None or series.as_of < now - LATE:
                again = max(again, now + LATE_RETRY_AFTER)
            await self._postpone(rule, again - now, None)

    async def _read(self, rule: Rule) -> tuple[CatalogueEntry, Series]:
        metric = await self._figures.definition(rule.metric)
        if metric is None:
            raise FiguresRefused(f"The catalogue has no metric {rule.metric} any more. Delete this rule.")
        period = requested_period(
            rule.window, rule.condition.kind == "usual", self._transactions.clock(), self._zone
        )
        series = await self._figures.series(rule.seller_id, rule.metric, rule.product_id, rule.window, period)
        return metric, series

    async def _postpone(self, rule: Rule, after: timedelta, problem: str | None) -> None:
        async with self._transactions.connection() as sql:
            await store.postpone_evaluation(sql, rule, self._transactions.clock() + after, problem)

    async def _save(
        self, rule: Rule, metric: CatalogueEntry, currency: str, observations: list[Observation]
    ) -> None:
        verdicts = [rule.condition.judge(each.bucket.value, each.usual) for each in observations]
        progress = progress_after(rule.progress, verdicts, rule.fires_after, rule.resolves_after)
        last = observations[-1]
        async with self._transactions.begin(Trace.start(rule.rule_id, None)) as tx:
            repeat_after = timedelta(minutes=rule.repeat_minutes) if rule.repeat_minutes else None
            kind = message_kind(rule.progress, progress, rule.last_message_at, repeat_after, tx.now)
            alert_id = rule.alert_id or new_id()
            saved = await store.save_evaluation(
                tx,
                rule,
                progress,
                alert_id if progress.is_open else None,
                last.bucket.value,
                last.bucket.end,
                next_evaluation(rule.window, last.bucket.end, tx.now, self._zone),
                None if kind is None else tx.now,
            )
            if not saved or kind is None:
                return
            shown = _shown(kind, observations, verdicts)
            text = alert_text(rule, kind, metric, shown, currency, alert_id, self._site)
            if kind != "repeated":
                value = shown.bucket.value
                about = f"{metric.title} of seller {rule.seller_id} by {rule.window}: {value}"
                await raise_alert(tx, rule, alert_id, kind == "fired", about, value)
            await add_alert_message(tx, rule, alert_id, kind, text)


def _shown(kind: MessageKind, observations: list[Observation], verdicts: list[Verdict]) -> Observation:
    """Return the observation that a message is about: for `fired`, the last for which the condition holds."""
    holding = [each for each, verdict in zip(observations, verdicts, strict=True) if verdict == "holds"]
    return holding[-1] if kind == "fired" and holding else observations[-1]
