"""Asks memory for what will be read soon, so that its answers come together and not one after the other."""

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

BYTE, WORD = ir.IntType(8).as_pointer(), ir.IntType(32)
FOR_READING, IN_NEAR_CACHES, OF_NUMBERS = WORD(0), WORD(2), WORD(1)


def _prefetch(_context: Any, array: Any, _place: Any) -> Any:
    """LLVM's instruction of this name (LLVM Language Reference, llvm.prefetch)."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, at = arguments
        address = builder.gep(context.make_array(signature.args[0])(context, builder, values).data, [at])
        shape = ir.FunctionType(ir.VoidType(), [BYTE, WORD, WORD, WORD])
        instruction = builder.module.declare_intrinsic("llvm.prefetch", [BYTE], shape)
        how = [FOR_READING, IN_NEAR_CACHES, OF_NUMBERS]
        builder.call(instruction, [builder.bitcast(address, BYTE), *how])
        return context.get_dummy_value()

    return types.void(array, types.intp), code


prefetch = cast(Callable[[NDArray[Any], int], None], intrinsic(_prefetch))
"""Bring the line of the cache that holds this place of an array; no place is wrong. Only in machine code."""
