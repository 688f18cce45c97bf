"""`./souk experiments`: experiments and their results, and strategies judged before shoppers get them."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer
from clickhouse_connect.driver.exceptions import Error as ClickHouseError
from rich.markup import escape

from clickhouse.client import connect, one_line
from common.clock import system_clock
from common.errors import PartUnavailable, UserError
from common.experiments.definition import DEFAULT_STRATEGY
from common.principal_token import PlatformToken
from common.settings import Settings
from local.table import print_json, print_table
from recommenders.experiments.intervals import Interval
from recommenders.experiments.judgement import ExploredLog, Judgement, difference, judge, winner
from recommenders.training.off_policy import DAYS, judged_on_log, read_explored_log

app = typer.Typer(no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

_NO_LISTS = (
    "the log has no random list of the last {days:g} days that came into view: set "
    "recommendation_exploration above 0 (`./souk settings set recommendation_exploration 0.01 --reason "
    "…`) and wait for visitors"
)


@app.callback()
def group() -> None:
    """List experiments with recommendations, show their results, and judge strategies on the log."""


@app.command(name="list")
def list_experiments(as_json: AsJson = False) -> None:
    """List the experiments. The setting recommendation_experiments defines them."""
    content = _get("/v1/admin/experiments")
    if as_json:
        print_json(content)
        return
    print_table(
        ("name", "state", "surface", "arms", "start", "stop"),
        (
            map(
                escape,
                (
                    *(one[name] for name in ("name", "state", "surface")),
                    ", ".join(f"{arm['name']} {arm['share']:.0%}" for arm in one["arms"]),
                    _day(one["start"]),
                    _day(one["stop"]),
                ),
            )
            for one in content["experiments"]
        ),
    )
    print(f"hold-out {content['holdout_share']:.1%}, random lists {content['exploration_share']:.1%}")


@app.command()
def results(
    name: Annotated[str, typer.Argument(help="An experiment, or holdout.")], as_json: AsJson = False
) -> None:
    """Show each metric of each arm, its relative difference from control, and the verdict."""
    content = _get(f"/v1/admin/experiments/{quote(name, safe='')}")
    if as_json:
        print_json(content)
        return
    print_table(
        ("arm", "visitors", "metric", "value", "against control", "verdict"),
        (
            map(
                escape,
                (
                    arm["name"],
                    f"{arm['visitors']:,}",
                    metric["metric"],
                    f"{metric['value']:,.4f}",
                    _signed(Interval(**metric["relative"])) if metric["relative"] else "",
                    metric["verdict"] or "",
                ),
            )
            for arm in content["arms"]
            for metric in arm["metrics"]
        ),
    )
    for warning in content["warnings"]:
        print(f"warning: {warning}")


@app.command(name="judge")
def judge_strategy(
    arm: Annotated[str | None, typer.Argument(help="A strategy; without one, all in the log.")] = None,
    champion: Annotated[str, typer.Option(help="The strategy to compare with.")] = DEFAULT_STRATEGY,
    days: Annotated[float, typer.Option(min=0.01, help="Newest days of the log.")] = DAYS,
    as_json: AsJson = False,
) -> None:
    """Estimate the click rate of strategies from the clicks on random lists, before visitors get them.

    ips, snips and dr are the estimators; the effective places say how much of the log they rest on.
    """
    settings = Settings.load()
    try:
        with connect(settings) as client:
            log = read_explored_log(client, system_clock(), days)
            card = _newest_card(client)
    except ClickHouseError as error:
        raise PartUnavailable(f"ClickHouse can't read the log: {one_line(error)}") from error
    _require(log, arm, champion, days)
    if as_json:
        print_json({**judged_on_log(log, champion), "evaluation": card})
        return
    _show(log, arm, champion)
    if card:
        print(f"evaluate, newest training ({card['trained_at']}): {card['model']}, {card['reason']}")


def _require(log: ExploredLog, arm: str | None, champion: str, days: float) -> None:
    if not log.strategies:
        raise UserError(_NO_LISTS.format(days=days))
    for name in (arm, champion):
        if name is not None and name not in log.strategies:
            raise UserError(f"the log has no list of {name}; it has {', '.join(log.strategies)}")


def _show(log: ExploredLog, arm: str | None, champion: str) -> None:
    rows = []
    for name in log.strategies if arm is None else dict.fromkeys((champion, arm)):
        found = judge(log, name)
        compared = ("", "") if name == champion else _compared(log, found, champion)
        rates = (_rate(each.interval) for each in (found.ips, found.snips, found.doubly_robust))
        size = f"{found.doubly_robust.effective_sample_size:,.0f}"
        rows.append(map(escape, (name, *rates, size, *compared)))
    print_table(
        ("strategy", "ips", "snips", "dr", "effective places", f"against {champion}", "would have won"),
        rows,
        f"clicks for each of {len(log.clicks):,} places",
    )


def _compared(log: ExploredLog, found: Judgement, champion: str) -> tuple[str, str]:
    if not found.is_conclusive:
        return "", "not enough data"
    best = winner(log, found.strategy, champion)
    return _signed(difference(log, found.strategy, champion)), best or "neither: no difference found"


def _rate(interval: Interval) -> str:
    return f"{interval.estimate:.2%} ({interval.low:.2%} to {interval.high:.2%})"


def _signed(interval: Interval) -> str:
    return f"{interval.estimate:+.2%} ({interval.low:+.2%} to {interval.high:+.2%})"


def _newest_card(client: Any) -> dict[str, Any] | None:
    sql = (
        "SELECT toString(trained_at) AS trained_at, model, reason FROM model_cards FINAL "
        "ORDER BY trained_at DESC LIMIT 1"
    )
    return next(iter(client.query(sql).named_results()), None)


def _day(moment: str | None) -> str:
    return "" if moment is None else datetime.fromisoformat(moment).date().isoformat()


def _get(path: str) -> Any:
    settings = Settings.load()
    try:
        with httpx.Client(
            base_url=settings.serving, trust_env=False, timeout=60, auth=PlatformToken(settings, "cli")
        ) as http:
            answer = http.get(path)
    except httpx.HTTPError as error:
        raise PartUnavailable(f"the API at {settings.serving} does not answer: see ./souk status") from error
    if answer.is_success:
        return answer.json()
    detail = answer.json().get("detail", answer.reason_phrase)
    raise UserError(detail) if answer.status_code < 500 else PartUnavailable(detail)
