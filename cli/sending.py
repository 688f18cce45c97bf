"""Reads a data set, starts the platform, and sends the events: what `replay` and `import` share."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from common.clock import from_millis
from common.errors import UserError
from common.kafka import cluster_id
from common.settings import Settings
from local import stack
from local.demo_mode import offer_demo_sessions, set_demo
from producers.feed.timeline_sender import OnProgress, TimelineProducer
from producers.importer import journal, report, run
from producers.importer.dataset import Conversion
from schemas.setup import register


@dataclass(frozen=True)
class Sending:
    """How a command sends a data set. With `demo`, the installation is in demo mode afterwards."""

    settings: Settings
    console: Console
    restart: bool = False
    json_report: Path | None = None
    up: bool = True
    demo: bool = False

    def send(self, plan: run.ReplayOptions) -> Settings:
        """Send the events that are not acknowledged yet, and print the report; return the settings in use.

        Raises:
            UserError: the tables can't be used, or have no event in the range.
            PartUnavailable: Kafka stays unavailable; the next run resumes.
        """
        settings, console = self.settings, self.console
        with journal.exclusive(settings.home, plan.data_set.NAME):
            conversion, fingerprint = self._convert(plan)
            if not conversion.events:
                raise UserError(f"{plan.directory} has no event to send: --dry-run says why")
            if self.demo:
                set_demo(settings)
            if self.up:
                settings = stack.up(settings, console)
            if self.demo:
                offer_demo_sessions(settings)
            schema_ids = register(settings).schema_ids
            prepared = run.prepare(plan, settings, conversion, fingerprint, cluster_id(settings.kafka))
            if not prepared.entry.total:
                raise UserError(f"{plan.directory} has no event in that range: widen --from and --to")
            if self.restart:
                prepared = replace(prepared, entry=replace(prepared.entry, position=0, finished_at=None))
            reports = [Path(prepared.entry.report), *([self.json_report] if self.json_report else [])]
            if prepared.entry.complete:
                report.write(reports, prepared.entry, prepared.findings)
                console.print(
                    f"All {prepared.entry.total:,} events were sent by {prepared.entry.finished_at}. "
                    "--restart sends them again, which changes no figure.",
                    highlight=False,
                )
            else:
                with _progress(console, prepared) as on_progress:
                    replayed = run.send(prepared, settings, schema_ids, plan.speed, on_progress)
                report.write(reports, replayed, prepared.findings)
                report.print_report(console, replayed, prepared.findings, settings, plan.data_set.CURRENCY)
        console.print(f"report: {prepared.entry.report}", soft_wrap=True, highlight=False)
        return settings

    def dry_run(self, plan: run.ReplayOptions) -> None:
        """Read everything, send nothing, and print the report.

        Raises:
            UserError: the tables can't be used, or have no event.
        """
        with journal.exclusive(self.settings.home, plan.data_set.NAME):
            conversion, fingerprint = self._convert(plan)
            prepared = run.prepare(plan, self.settings, conversion, fingerprint, cluster="")
            if self.json_report:
                report.write([self.json_report], prepared.entry, prepared.findings)
            report.print_report(
                self.console,
                prepared.entry,
                prepared.findings,
                self.settings,
                plan.data_set.CURRENCY,
                dry_run=True,
            )

    def _convert(self, plan: run.ReplayOptions) -> tuple[Conversion, str]:
        with self.console.status(f"reading {plan.directory}"):
            return run.convert(plan, self.settings)


def require_writable(path: Path | None) -> None:
    """Refuse a report that can't be written, before anything is read.

    Raises:
        UserError: the file can't be written.
    """
    if path is None:
        return
    try:
        path.open("a").close()
    except OSError as error:
        raise UserError(f"--json-report {path} can't be written ({error.strerror})") from error


@contextmanager
def _progress(console: Console, prepared: run.PreparedReplay) -> Iterator[OnProgress]:
    """Show a progress bar with events per second and the event time of the last event."""
    total, start_position = prepared.entry.total, prepared.entry.position
    if start_position:
        console.print(f"resuming after {start_position:,} of {total:,} events", highlight=False)
    bar = Progress(
        TextColumn("{task.fields[reached]}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("[yellow]{task.fields[trouble]}"),
        console=console,
    )
    task = bar.add_task("", total=total, completed=start_position, reached="", rate="", trouble="")
    acknowledged = start_position

    def on_progress(feed: TimelineProducer) -> None:
        nonlocal acknowledged
        acknowledged = feed.acknowledged
        at = from_millis(int(prepared.timeline.due_at[min(acknowledged, total - 1)]))
        elapsed = bar.tasks[0].elapsed or 0.0
        rate = f"{(acknowledged - start_position) / elapsed:,.0f}/s" if elapsed > 1 else ""
        bar.update(
            task, completed=acknowledged, reached=f"{at:%Y-%m-%d %H:%M}", rate=rate, trouble=feed.trouble
        )

    with bar:
        try:
            yield on_progress
        except KeyboardInterrupt:
            bar.stop()
            console.print(
                f"stopped after {acknowledged:,} of {total:,} events: run the same command to resume",
                highlight=False,
            )
            raise
