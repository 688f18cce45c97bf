"""`python -m local.install`: the first step of `./souk`, in plain Python: no package is there yet."""

import errno
import platform
import sys
from pathlib import Path

from common.errors import UserError
from local.install.installation import install
from local.install.machine import check_machine


def main() -> int:
    """`python -m local.install FOLDER STAMP`: exit code 2 after one line that says what to do."""
    folder, stamp = Path(sys.argv[1]), sys.argv[2]
    try:
        check_machine(platform.system(), platform.machine(), platform.libc_ver()[0])
        install(folder, stamp)
    except UserError as error:
        print(f"souk: {error}", file=sys.stderr)
        return 2
    except PermissionError as error:
        print(
            f"souk: {error.filename} is not yours to write: run this as its owner, "
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
        print("\nsouk: stopped; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
