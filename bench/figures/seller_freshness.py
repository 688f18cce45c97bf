"""Measures how soon a seller's figures and page show an order, on a temporary marketplace with traffic."""

import time
from dataclasses import dataclass

from rich.console import Console

from bench.figures import lag
from bench.figures.lag import LagBenchResult
from bench.temporary_platform import temporary_platform
from common.settings import Settings
from local.demo.backfill_wait import wait_for_backfill
from local.demo.simulator_process import SimulatorProcess
from local.demo_mode import set_demo

WARM_UP_S = 30.0
"""A JVM that has just started still compiles."""

_POLL_S = 0.5


@dataclass(frozen=True)
class SellerFreshnessPlan:
    """`rate` events a second for `minutes`, after `weeks` of history of `shoppers`."""

    rate: int
    minutes: float
    weeks: int
    shoppers: int


def run(settings: Settings, plan: SellerFreshnessPlan, port_offset: int, console: Console) -> LagBenchResult:
    """Measure on a temporary platform.

    Raises:
        SoukError: the platform or the simulator does not start.
    """
    world = ("--weeks", str(plan.weeks), "--shoppers", str(plan.shoppers))
    with temporary_platform(settings, port_offset, console) as platform:
        own = platform.settings
        set_demo(own)
        console.print(f"{plan.weeks} weeks of history")
        with SimulatorProcess(own, "backfill", *world) as simulator:
            while not simulator.ended():
                time.sleep(_POLL_S)
        wait_for_backfill(own, console)
        console.print(f"{plan.rate:,} events a second", highlight=False)
        with SimulatorProcess(own, "live", *world, "--rate", str(plan.rate)) as simulator:
            time.sleep(WARM_UP_S)
            simulator.ended()
            return lag.run(own, plan.minutes, console)
