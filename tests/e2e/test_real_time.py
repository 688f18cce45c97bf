"""Who answers someone goes first on a started platform, and whoever counts stands in line."""

import os

import psutil
import pytest

from common.realtime import ANSWERS, FIGURES, ORDERS
from local.home import Home
from local.supervision.processes import read_record
from tests.realtime import needs_real_time

pytestmark = [pytest.mark.timeout(1_200), needs_real_time]

PRIORITIES = {
    "redis": ANSWERS,
    "postgres": ORDERS,
    "commerce": ORDERS,
    "clickhouse": FIGURES,
    "kafka": 0,
    "jobmanager": 0,
    "taskmanager": 0,
}


def test_each_part_has_its_priority(platform, eventually):
    run = Home(platform.settings.home).run
    processes = {part: read_record(run, part).pid for part in PRIORITIES}

    def priorities():
        return {part: os.sched_getparam(pid).sched_priority for part, pid in processes.items()}

    eventually(lambda: priorities() == PRIORITIES)


def test_the_processes_of_the_api_go_before_all(platform, eventually):
    parent = psutil.Process(read_record(Home(platform.settings.home).run, "serving").pid)

    def answering():
        found = [os.sched_getparam(each.pid).sched_priority for each in parent.children()]
        return found.count(ANSWERS) == platform.settings.serving_processes

    eventually(answering)
