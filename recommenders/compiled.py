"""Compiles loops that no NumPy operation expresses to machine code, with a cache on disk."""

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
    """Compile a function to machine code at its first call, and cache the code beside its source.

    Compiled functions release the GIL. They don't use `fastmath`, which assumes that there are no infinities
    or NaN: an excluded product has the score minus infinity.
    """
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True)(function))


def _use_versioned_cache(folder: Path) -> None:
    """Use a separate cache directory for each version of the sources under `folder`.

    numba invalidates cached code only when the file of the outermost function changes. If a function inlines
    code from another file, and that file changes, the cached code is outdated. `NUMBA_CACHE_DIR`, if set,
    takes precedence.
    """
    settings: Any = numba.config  # numba defines the names of this module at run time
    if settings.CACHE_DIR:
        return
    digest = sha256()
    for source in sorted(folder.rglob("*.py")):
        digest.update(source.read_bytes())
    cache = folder / "__pycache__" / f"compiled-{digest.hexdigest()[:16]}"
    if not cache.is_dir():
        if not os.access(cache.parent if cache.parent.is_dir() else folder, os.W_OK):
            return  # numba then uses the user's cache directory, and raises RuntimeError if there is none
        cache.mkdir(parents=True, exist_ok=True)
        for old in set(cache.parent.glob("compiled-*")) - {cache}:
            shutil.rmtree(old, ignore_errors=True)
    settings.CACHE_DIR = str(cache)


_use_versioned_cache(Path(__file__).parent)
