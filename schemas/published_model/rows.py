"""The row of a product: its neighbours and their scores, packed into 6 bytes each. Pure.

Format, little-endian: CRC-32, then for each list of `Row` the number of neighbours (uint16) and the largest
score (float32), then for each list its product codes (uint32) and its scores relative to the largest
(float16). The checksum starts from that of the version's name, so a row of another version is recognised as
damaged.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

MAX_NEIGHBOURS = 500
"""The largest number of neighbours in a list."""

_HEAD = struct.Struct("<IHfHf")
_CHECKSUM_BYTES = 4


class Neighbour(NamedTuple):
    """A product by its code, and its score, which is above 0."""

    code: int
    score: float


class Row(NamedTuple):
    """The neighbours of a product, best first: of the trained model, and those with similar content."""

    trained: Sequence[Neighbour] = ()
    content: Sequence[Neighbour] = ()


class DamagedRow(ValueError):
    """The bytes are not a row of this version."""


def pack_row(row: Row, version: str) -> bytes:
    """Return a row as bytes. Scores are rounded to float16 relative to the list's largest: within 0.05 %.

    A score below 6e-8 of the largest is rounded to 0, so its neighbour is left out.

    Raises:
        ValueError: a list is longer than `MAX_NEIGHBOURS`, or a score is not above 0 and finite.
    """
    (trained, *trained_head), (content, *content_head) = map(_pack_list, row)
    packed = _HEAD.pack(0, *trained_head, *content_head)[_CHECKSUM_BYTES:] + trained + content
    return struct.pack("<I", _checksum(packed, version)) + packed


def unpack_row(packed: bytes, version: str, products: int) -> Row:
    """Return the row that `pack_row` wrote. `products` is the number of product codes of the version.

    Raises:
        DamagedRow: the row is cut short, changed, or of another version or catalogue.
    """
    if len(packed) < _HEAD.size:
        raise DamagedRow(f"a row of {len(packed)} bytes is shorter than its head")
    checksum, trained, trained_scale, content, content_scale = _HEAD.unpack_from(packed)
    if len(packed) != _HEAD.size + 6 * (trained + content):
        raise DamagedRow(f"a row has {len(packed)} bytes, not those of its {trained + content} neighbours")
    if checksum != _checksum(packed[_CHECKSUM_BYTES:], version):
        raise DamagedRow("the checksum of a row is wrong, or the row is of another version")
    row = Row(
        _unpack_list(packed, _HEAD.size, trained, trained_scale),
        _unpack_list(packed, _HEAD.size + 6 * trained, content, content_scale),
    )
    if any(one.code >= products for neighbours in row for one in neighbours):
        raise DamagedRow("a row has a product that is not in the catalogue of its version")
    return row


def _pack_list(neighbours: Sequence[Neighbour]) -> tuple[bytes, int, float]:
    if len(neighbours) > MAX_NEIGHBOURS:
        raise ValueError(f"{len(neighbours)} neighbours of a product: at most {MAX_NEIGHBOURS} are packed")
    if not all(0.0 < one.score < float("inf") for one in neighbours):
        raise ValueError("a neighbour's score is not above 0 and finite")
    scale = max((one.score for one in neighbours), default=0.0)
    shares = [(one.code, share) for one in neighbours if (share := one.score / scale) > 2.0**-25]
    codes = struct.pack(f"<{len(shares)}I", *(code for code, _ in shares))
    return codes + struct.pack(f"<{len(shares)}e", *(share for _, share in shares)), len(shares), scale


def _unpack_list(packed: bytes, start: int, count: int, scale: float) -> tuple[Neighbour, ...]:
    codes = struct.unpack_from(f"<{count}I", packed, start)
    shares = struct.unpack_from(f"<{count}e", packed, start + 4 * count)
    return tuple(Neighbour(code, share * scale) for code, share in zip(codes, shares, strict=True))


def _checksum(packed: bytes, version: str) -> int:
    return crc32(packed, crc32(version.encode()))
