"""Prints the result of the pipeline benchmark."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console

from bench.pipeline.peer_engine import NOTES
from bench.pipeline.run import PipelineBenchResult
from bench.pipeline.sampling import Rate
from bench.tables import print_notes, print_table

_MIB = 1 << 20


def show(result: PipelineBenchResult, console: Console) -> None:
    """Print tables of rates, freshness and memory."""
    ratios = ", ".join(f"{ratio:.2f}" for ratio in result.ratios.values())
    print_table(
        console,
        ("Kafka → ClickHouse", "events", "events/s", "steady events/s", "complete after"),
        (
            (title, *_cells(rate))
            for title, rate in {"Flink (facts and rankings)": result.flink, **result.peers}.items()
        ),
        title="Rate",
        caption=f"Flink's overall rate divided by the others': {ratios}" if ratios else None,
    )
    print_table(
        console,
        ("readable in", "events", "p50", "p99"),
        (
            (name, f"{each.events:,}", f"{each.p50_ms:,.0f} ms", f"{each.p99_ms:,.0f} ms")
            for name, each in result.freshness.items()
        ),
        title=f"Freshness at {result.plan.per_second:,}/s",
    )
    memory = result.memory_bytes | {"total": sum(result.memory_bytes.values())}
    print_table(
        console,
        ("part", "resident"),
        ((part, f"{size / _MIB:,.0f} MiB") for part, size in memory.items()),
        title="Memory after the load",
    )
    cpu = _largest_first(result.cpu_us_per_event) | {"total": result.total_cpu_us_per_event}
    print_table(
        console,
        ("part", "CPU an event"),
        ((part, f"{micros:,.1f} µs") for part, micros in cpu.items()),
        title="CPU of the load",
    )
    if result.total_idle_cores is not None:
        idle = _largest_first(result.idle_cores) | {"total": result.total_idle_cores}
        print_table(
            console,
            ("part", "cores"),
            ((part, f"{cores:.3f}") for part, cores in idle.items()),
            title=f"Without traffic for {result.plan.idle_s} s",
        )
    console.print(", ".join(f"{count} {name}" for name, count in result.shape.items()), highlight=False)
    print_notes(console, NOTES if result.peers else ())


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


def _largest_first(by_part: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(by_part.items(), key=lambda item: -item[1]))


def _cells(rate: Rate) -> tuple[str, str, str, str]:
    return (
        f"{rate.rows:,}",
        f"{rate.per_second:,.0f}",
        f"{rate.steady_per_second:,.0f}",
        f"{rate.seconds:,.1f} s",
    )
