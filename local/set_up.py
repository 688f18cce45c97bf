"""`python -m local.set_up`: makes topics, schemas, tables and views on given servers, and exits.

A stack of containers runs it before the platform's own processes. A second run changes nothing.
"""

import sys

from common.errors import SoukError
from common.settings import Settings
from local import stack
from local.table import console


def main() -> int:
    """Set up the servers of the settings. Return 0, or 1 after a line that says what went wrong."""
    try:
        stack.set_up_servers(Settings.load(), console())
    except SoukError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
