"""Sends reports by mail when a day, week or month is over and its figures are complete.

The id of a mail derives from the report and the period, so that users sends each period once; then the record
of the period and the next time commit together. After an outage of several periods only the newest one is
sent.
"""

from datetime import timedelta
from uuid import UUID, uuid5

from common.metrics import UNEXPECTED_ERRORS
from common.settings import Settings
from producers.kit.http.peers import Peers
from producers.kit.http.problems import ServiceNotReady
from producers.kit.makers import Makers
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll, run_isolated
from producers.services.alerts import report_store
from producers.services.alerts.delivery import send_to_reader
from producers.services.alerts.figures import FiguresClient, FiguresRefused, FiguresUnavailable
from producers.services.alerts.model import MAKER_LEFT, MAKER_UNKNOWN, WRITE
from producers.services.alerts.report_store import Report
from producers.services.alerts.texts import report_text
from producers.services.alerts.windows import next_send_at, period_before

WORKER = "reports"
INTERVAL_S = 15.0
AT_ONCE = 4
LEASE = timedelta(minutes=2)
RETRY_AFTER = timedelta(minutes=2)
"""Time to the next attempt if the figures are unavailable, or not complete up to the end of the period."""

REFUSED_RETRY_AFTER = timedelta(hours=1)
LIMITED_RETRY_AFTER = timedelta(minutes=20)

MAIL_KIND = "seller_report"


async def run_reports(transactions: Transactions, settings: Settings) -> None:
    """Send reports when they are due, until cancelled."""
    UNEXPECTED_ERRORS.labels("alerts", WORKER)  # creates the series with 0, which the alert needs
    async with FiguresClient(settings) as figures:
        reporter = Reporter(transactions, figures, Makers(Peers(settings, "alerts")), settings.public)
        await poll(f"alerts {WORKER}", INTERVAL_S, reporter.send_due, settings.stop_timeout_s, drains=True)


class Reporter:
    """Sends reports. `site` is the base URL of the pages."""

    def __init__(self, transactions: Transactions, figures: FiguresClient, makers: Makers, site: str) -> None:
        self._transactions = transactions
        self._figures = figures
        self._makers = makers
        self._site = site

    async def send_due(self) -> int:
        """Send a few reports that are due, and return their number.

        Raises:
            one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable.
        """
        async with self._transactions.connection() as sql:
            claimed = await report_store.claim_reports(sql, self._transactions.clock(), LEASE, AT_ONCE)
        await run_isolated("alerts", WORKER, [self.send(report) for report in claimed if report.is_approved])
        return len(claimed)

    async def send(self, report: Report) -> None:
        """Send the report about the newest period that is over, unless it was sent before.

        A report whose maker may not make it any more is paused.
        """
        now = self._transactions.clock()
        period = period_before(report.period, now, report.zone)
        if period[1] <= report.covered_until:
            await self._postpone(
                report, next_send_at(report.period, report.hour, now, report.zone) - now, None
            )
            return
        try:
            if await self._makers.find(report, WRITE) is None:
                async with self._transactions.begin(Trace.start(report.report_id, None)) as tx:
                    if await report_store.lock_report(tx, report.seller_id, report.report_id):
                        await report_store.pause_report(tx, report.report_id, MAKER_LEFT)
                return
            totals = await self._figures.totals(report.seller_id, report.metrics, period)
        except ServiceNotReady:
            await self._postpone(report, RETRY_AFTER, MAKER_UNKNOWN)
            return
        except FiguresUnavailable as error:
            await self._postpone(report, RETRY_AFTER, f"The figures could not be read: {error}.")
            return
        except FiguresRefused as error:
            await self._postpone(report, REFUSED_RETRY_AFTER, str(error))
            return
        if totals.as_of is None or totals.as_of < period[1]:
            await self._postpone(report, RETRY_AFTER, "The figures of the period are not complete yet.")
            return
        if report.person_id is None:
            return
        subject, body = report_text(report, period, totals, self._site)
        try:
            outcome = await send_to_reader(
                self._makers.peers,
                mail_id=str(uuid5(UUID(report.report_id), period[0].isoformat())),
                user_id=report.person_id,
                seller_id=report.seller_id,
                kind=MAIL_KIND,
                subject=subject,
                text=body,
            )
        except ServiceNotReady:
            await self._postpone(report, RETRY_AFTER, MAKER_UNKNOWN)
            return
        async with self._transactions.begin(Trace.start(report.report_id, None)) as tx:
            locked = await report_store.lock_report(tx, report.seller_id, report.report_id)
            if locked is None or locked.person_id is None or locked.covered_until >= period[1]:
                return
            if outcome == "left":
                reason = "The person who got the mails may not see these figures any more."
                await report_store.pause_report(tx, report.report_id, reason)
            elif outcome == "limited":
                at = tx.now + LIMITED_RETRY_AFTER
                reason = "Too many reports went to this address within an hour."
                await report_store.postpone_report(tx.sql, report.report_id, at, None, reason)
            elif await report_store.add_report_mail(tx, report.report_id, *period):
                at = next_send_at(report.period, report.hour, tx.now, report.zone)
                await report_store.postpone_report(tx.sql, report.report_id, at, period[1], None)

    async def _postpone(self, report: Report, after: timedelta, problem: str | None) -> None:
        async with self._transactions.connection() as sql:
            at = self._transactions.clock() + after
            await report_store.postpone_report(sql, report.report_id, at, None, problem)
