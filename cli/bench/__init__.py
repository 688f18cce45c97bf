"""`./souk bench WHAT`: measures the speed, freshness and memory of the platform on this machine."""

import typer

from cli.bench import figures, pipeline, recommenders, serving

app = typer.Typer(no_args_is_help=True)
for group in (pipeline, serving, figures, recommenders):
    app.add_typer(group.app)


@app.callback()
def bench() -> None:
    """Measure speed and memory beside a peer in the same run."""
