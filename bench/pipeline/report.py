"""Prints the result of the pipeline benchmark."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.pipeline.peer_engine import NOTES
from bench.pipeline.run import PipelineBenchResult
from bench.pipeline.sampling import Rate

_MIB = 1 << 20


def show(result: PipelineBenchResult, console: Console) -> None:
    """Print tables of rates, freshness and memory."""
    rates = Table(
        "Kafka → ClickHouse", "events", "events/s", "steady events/s", "complete after", title="Rate"
    )
    rates.add_row("Flink (facts and rankings)", *_cells(result.flink))
    for title, peer in result.peers.items():
        rates.add_row(title, *_cells(peer))
    if result.peers:
        ratios = ", ".join(f"{ratio:.2f}" for ratio in result.ratios.values())
        rates.caption = f"Flink's overall rate divided by the others': {ratios}"
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
    cpu = Table("part", "CPU an event", title="CPU of the load")
    for part, micros in sorted(result.cpu_us_per_event.items(), key=lambda item: -item[1]):
        cpu.add_row(part, f"{micros:,.1f} µs")
    cpu.add_row("total", f"{result.total_cpu_us_per_event:,.1f} µs")
    console.print(cpu)
    if result.idle_cores:
        idle = Table("part", "cores", title=f"Without traffic for {result.plan.idle_s} s")
        for part, cores in sorted(result.idle_cores.items(), key=lambda item: -item[1]):
            idle.add_row(part, f"{cores:.3f}")
        idle.add_row("total", f"{result.total_idle_cores:.3f}")
        console.print(idle)
    console.print(", ".join(f"{count} {name}" for name, count in result.shape.items()), highlight=False)
    for note in NOTES if result.peers else ():
        console.print(f"• {note}", highlight=False)


def as_plain(result: PipelineBenchResult) -> dict[str, Any]:
    """Return everything that was measured, for JSON."""
    figures = {
        "overall_events_per_s": result.flink.per_second,
        "steady_events_per_s": result.flink.steady_per_second,
        "peer_overall_events_per_s": {title: peer.per_second for title, peer in result.peers.items()},
        "total_cpu_us_per_event": result.total_cpu_us_per_event,
        "total_idle_cores": result.total_idle_cores,
    }
    return figures | asdict(result) | {"ratios": result.ratios, "notes": NOTES}


def _cells(rate: Rate) -> tuple[str, str, str, str]:
    return (
        f"{rate.rows:,}",
        f"{rate.per_second:,.0f}",
        f"{rate.steady_per_second:,.0f}",
        f"{rate.seconds:,.1f} s",
    )
