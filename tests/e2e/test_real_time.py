"""Who answers someone goes first on a started platform, and whoever counts stands in line."""

import os
from collections import Counter

import httpx
import psutil
import pytest

from clickhouse.front.app import THREADS
from common.realtime import ANSWERS, FIGURES, ORDERS
from local.home import Home
from local.supervision.processes import read_record
from tests.realtime import needs_real_time

pytestmark = [pytest.mark.timeout(1_200), needs_real_time]

PRIORITIES = {
    "redis": ANSWERS,
    "postgres": ORDERS,
    "commerce": ORDERS,
    "clickhouse": ANSWERS,  # its first thread, by which queries come and go
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


def test_what_clickhouse_does_for_the_api_goes_before_all_else_that_it_does(platform, eventually):
    pid = read_record(Home(platform.settings.home).run, "clickhouse").pid
    httpx.get(f"{platform.settings.serving}/v1/sellers").raise_for_status()

    def answering():
        threads = psutil.Process(pid).threads()
        found = Counter(os.sched_getparam(each.id).sched_priority for each in threads)
        return 2 <= found[ANSWERS] <= 1 + THREADS["serving"] and found[FIGURES] > found[ANSWERS]

    eventually(answering)


def test_the_processes_of_the_api_go_before_all(platform, eventually):
    parent = psutil.Process(read_record(Home(platform.settings.home).run, "serving").pid)

    def answering():
        found = [os.sched_getparam(each.pid).sched_priority for each in parent.children()]
        return found.count(ANSWERS) == platform.settings.serving_processes

    eventually(answering)
