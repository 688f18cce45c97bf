"""`./souk bench WHAT`: measures the speed, freshness and memory of the platform on this machine."""

import typer

from cli.bench import figures, pipeline, recommenders, serving
from common.signal_handlers import interrupted_by_signals

app = typer.Typer(no_args_is_help=True)
for group in (pipeline, serving, figures, recommenders):
    app.add_typer(group.app)


@app.callback()
def bench(context: typer.Context) -> None:
    """Measure speed and memory beside a peer in the same run."""
    context.with_resource(interrupted_by_signals())  # a benchmark that is ended stops its own platform
