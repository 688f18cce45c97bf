"""Compiles loops that no NumPy operation expresses to machine code, with a cache on disk.

`prefetch` brings array elements into the CPU's caches, so that several reads from memory overlap. Without it,
`./souk bench recommenders` measures 28 to 30 µs instead of 20 to 23 for the fold-in of a shopper (item-item,
p50), and 130 to 150 µs instead of 75 to 114 for a visit (session kNN).
"""

import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

BYTE_POINTER, INT32 = ir.IntType(8).as_pointer(), ir.IntType(32)
READ_ACCESS, LOCALITY, DATA_CACHE = INT32(0), INT32(2), INT32(1)


def _prefetch(_context: Any, array: Any, _place: Any) -> Any:
    """Generate the instruction `llvm.prefetch` (LLVM Language Reference)."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, at = arguments
        address = builder.gep(context.make_array(signature.args[0])(context, builder, values).data, [at])
        signature_type = ir.FunctionType(ir.VoidType(), [BYTE_POINTER, INT32, INT32, INT32])
        instruction = builder.module.declare_intrinsic("llvm.prefetch", [BYTE_POINTER], signature_type)
        hints = [READ_ACCESS, LOCALITY, DATA_CACHE]
        builder.call(instruction, [builder.bitcast(address, BYTE_POINTER), *hints])
        return context.get_dummy_value()

    return types.void(array, types.intp), code


prefetch = cast(Callable[[NDArray[Any], int], None], intrinsic(_prefetch))
"""Prefetch the cache line of an array element. The index may be out of bounds. For compiled code only."""


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
