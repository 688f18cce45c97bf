"""Compiles a loop to machine code, once a machine: what no vector operation says."""

import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The function as machine code, kept beside its source, which lets other threads run meanwhile.

    No `fastmath`: it takes infinities and NaN for impossible, and an excluded product scores minus infinity.
    """
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True)(function))


def _use_versioned_cache(folder: Path) -> None:
    """Keep the code of this version of the sources under `folder` apart from that of any other.

    numba looks only whether the file of the outermost function is the same: code of other files that it took
    in would stay as it was. `NUMBA_CACHE_DIR` is left to whoever sets it.
    """
    settings: Any = numba.config  # a module whose names it makes as it starts
    if settings.CACHE_DIR:
        return
    digest = sha256()
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.read_bytes())
    kept = folder / "__pycache__" / f"compiled-{digest.hexdigest()[:16]}"
    if not kept.is_dir():
        if not os.access(kept.parent if kept.parent.is_dir() else folder, os.W_OK):
            return  # numba then keeps it in the user's cache, or nowhere
        kept.mkdir(parents=True, exist_ok=True)
        for old in set(kept.parent.glob("compiled-*")) - {kept}:
            shutil.rmtree(old, ignore_errors=True)
    settings.CACHE_DIR = str(kept)


_use_versioned_cache(Path(__file__).parent)
