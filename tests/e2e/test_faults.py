"""Faults are injected into a platform with traffic: each raises its alert within a minute, and it ends.

The test writes the table in docs/runbooks/README.md if `WRITE_FAULT_TABLE` is set. All faults need about an
hour. `FAULTS="Redis|Kafka"` injects only those whose description contains a match of this regular expression.
"""

import os
import re

import pytest

from local.parts.resolve import find_on_path
from tests.e2e.fault_harness.faults import FAULTS
from tests.e2e.fault_harness.harness import measure_all, write
from tests.e2e.fault_harness.traffic import traffic

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(7_200)]


def test_every_fault_raises_its_alert_within_a_minute_and_the_alert_ends(untouched) -> None:
    if find_on_path(untouched.settings, "prometheus") is None:
        pytest.skip("prometheus is not on PATH (Debian's package prometheus)")
    untouched.souk("demo", "--weeks", "1", "--shoppers", "300", "--rate", "20", "--minutes", "0.3", "--keep")
    untouched.souk("up", "--with", "prometheus")
    chosen = [fault for fault in FAULTS if re.search(os.environ.get("FAULTS", ""), fault.what)]
    assert chosen, "no fault matches FAULTS"
    with traffic(untouched.started_settings()):
        measured = measure_all(untouched, chosen)
    if os.environ.get("WRITE_FAULT_TABLE"):
        write(measured)
    assert not [each for each in measured if not each.is_in_time]
