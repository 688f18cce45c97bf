"""What the commands of benchmarks print."""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Result = TypeVar("Result", bound="DataclassInstance")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def output(
    result: Result, show: Callable[[Result, Console], None], console: Console, as_json: bool, **further: Any
) -> None:
    """Show a result, or print it as one JSON object with `further` fields."""
    if as_json:
        print(json.dumps(asdict(result) | further, indent=2))
    else:
        show(result, console)
