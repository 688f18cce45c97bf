"""`python -m local.set_up`: makes topics, schemas, tables and views on given servers, and exits.

A stack of containers runs it before the platform's own processes. A second run changes nothing.
"""

import sys

from common.errors import SoukError
from common.settings import Settings
from common.telemetry import configure_logging, log_start_failure
from local import stack


def main() -> int:
    """Set up the servers of the settings. Return 0, or 1 after a line that says what went wrong."""
    configure_logging("set-up")
    try:
        stack.set_up_servers(Settings.load())
    except SoukError as error:
        log_start_failure(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
