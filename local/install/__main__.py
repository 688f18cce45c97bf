"""`python -m local.install`: the first step of `./souk`. Uses only the standard library."""

import errno
import platform
import sys
from pathlib import Path

from common.errors import UserError
from local.install.environment import install
from local.install.step import check_machine


def main() -> int:
    """Run `python -m local.install FOLDER STAMP`. On an error, prints one line and returns 2."""
    folder, stamp = Path(sys.argv[1]), sys.argv[2]
    try:
        check_machine(platform.system(), platform.machine(), platform.libc_ver()[0])
        install(folder, stamp)
    except UserError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2
    except PermissionError as error:
        print(
            f"souk: {error.filename} can't be written by this user: run this as its owner, "
            "or set SOUK_INSTALL (and SOUK_HOME) to folders of your own",
            file=sys.stderr,
        )
        return 2
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        print(f"souk: the disk of {folder} is full: make room and run this again", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nsouk: stopped; run it again to continue", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
