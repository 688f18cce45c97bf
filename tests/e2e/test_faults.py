"""Faults are injected into a platform with traffic: each raises its alert within a minute, and it ends.

The test writes the table in docs/runbooks/README.md. It needs about 40 minutes.
"""

import os

import pytest

from local.parts.resolve import find_on_path
from tests.e2e.fault_harness.faults import FAULTS
from tests.e2e.fault_harness.harness import Measured, measure, write
from tests.e2e.fault_harness.traffic import traffic

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(7_200)]

RAISED_WITHIN_S = 60.0


def test_every_fault_raises_its_alert_within_a_minute_and_the_alert_ends(untouched) -> None:
    if find_on_path(untouched.settings, "prometheus") is None:
        pytest.skip("prometheus is not on PATH (Debian's package prometheus)")
    untouched.souk("demo", "--weeks", "1", "--shoppers", "300", "--rate", "20", "--minutes", "0.3", "--keep")
    untouched.souk("up", "--with", "prometheus")
    measured: list[Measured] = []
    with traffic(untouched.started_settings()):
        for fault in FAULTS:
            measured.append(measure(untouched, fault))
            print(measured[-1])
    if os.environ.get("WRITE_FAULT_TABLE"):
        write(measured)
    late = [each for each in measured if each.raised_s is None or each.raised_s > RAISED_WITHIN_S]
    assert not late
    assert not [each for each in measured if each.cleared_s is None]
