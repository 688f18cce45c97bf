"""Prints the result of the pipeline benchmark."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from bench.peer.kafka_engine import NOTES
from bench.pipeline import PipelineBenchResult
from bench.sampling import Rate

_MIB = 1 << 20


def show(result: PipelineBenchResult, console: Console) -> None:
    """Print tables of rates, freshness and memory."""
    rates = Table(
        "Kafka → ClickHouse", "events", "events/s", "steady events/s", "complete after", title="Rate"
    )
    rates.add_row("Flink (facts and metrics)", *_cells(result.flink))
    for title, peer in result.peers.items():
        rates.add_row(title, *_cells(peer))
    ratios = ", ".join(f"{ratio:.2f}" for ratio in result.ratios.values())
    rates.caption = f"Flink's steady rate divided by the others': {ratios}"
    console.print(rates)
    fresh = Table("readable in", "events", "p50", "p99", title=f"Freshness at {result.plan.per_second:,}/s")
    for name, each in result.freshness.items():
        fresh.add_row(name, f"{each.events:,}", f"{each.p50_ms:,.0f} ms", f"{each.p99_ms:,.0f} ms")
    console.print(fresh)
    memory = Table("part", "resident", title="Memory after the load")
    for part, size in result.memory_bytes.items():
        memory.add_row(part, f"{size / _MIB:,.0f} MiB")
    memory.add_row("total", f"{sum(result.memory_bytes.values()) / _MIB:,.0f} MiB")
    console.print(memory)
    for note in NOTES:
        console.print(f"• {note}", highlight=False)


def as_json(result: PipelineBenchResult) -> str:
    """Return everything that was measured as one JSON object."""
    plain = asdict(result) | {"ratios": result.ratios, "notes": NOTES}
    return json.dumps(plain, indent=2)


def _cells(rate: Rate) -> tuple[str, str, str, str]:
    return (
        f"{rate.rows:,}",
        f"{rate.per_second:,.0f}",
        f"{rate.steady_per_second:,.0f}",
        f"{rate.seconds:,.1f} s",
    )
