"""What a picture of a product may be, in which sizes it is stored, and why one is refused. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, get_args

Size = Literal["160", "480", "1200", "2000"]
"""The longer side of a stored picture in pixels, at most: a picture is never enlarged."""

SIZES: tuple[Size, ...] = get_args(Size)
LARGEST: Size = SIZES[-1]
"""The size whose content names the picture: what remains of the original."""

WEBP = "image/webp"
"""The type of every stored picture."""

FORMATS: Mapping[str, str] = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    WEBP: "WEBP",
    "image/gif": "GIF",
}
"""Type of what sellers may send → its name in Pillow."""

MAX_BYTES = 10 * 1024 * 1024
"""The largest file that a seller may send, and that is read from a URL."""

MAX_PIXELS: Mapping[str, int] = {
    "JPEG": 50_000_000,
    "PNG": 30_000_000,
    "GIF": 30_000_000,
    "WEBP": 20_000_000,
}
"""Format → the most pixels of a picture. Phones take up to 50 megapixels, as JPEG. A JPEG takes up to 8 bytes
of memory a pixel, a PNG 13 and a WebP 20."""

MIN_SIDE = 64

Reason = Literal[
    "not_a_picture",
    "wrong_type",
    "damaged",
    "too_many_pixels",
    "too_small",
    "too_costly",
    "too_large",
    "bad_url",
    "internal_address",
    "not_found",
    "not_reachable",
    "too_many_redirects",
]

REASONS: Mapping[Reason, str] = {
    "not_a_picture": "The file is no JPEG, PNG, WebP or GIF picture. Save it as one, and send it again.",
    "wrong_type": "The file is of another type than its Content-Type says. Send it with its own type.",
    "damaged": "The file is damaged, or its end is missing. Save it anew, and send it again.",
    "too_many_pixels": "The picture is too large: a JPEG may have 50 megapixels, a PNG or GIF 30, a WebP 20. "
    "Make it smaller, and send it again.",
    "too_small": f"The picture is less than {MIN_SIDE} pixels wide or high. Send a larger one.",
    "too_costly": "Reading the picture takes too much time or memory. Save it as a JPEG of at most 2,000 "
    "pixels, and send it again.",
    "too_large": f"The file has more than {MAX_BYTES >> 20} MB. Make it smaller, and send it again.",
    "bad_url": "The URL, or one to which it redirects, is no http or https URL. Copy that of the picture.",
    "internal_address": "The URL, or one to which it redirects, leads to an internal address. Use one that "
    "the public internet can reach, or send the file.",
    "not_found": "The server of the URL does not give out the picture. Check the URL in a private window, "
    "or send the file.",
    "not_reachable": "The server of the URL did not answer, several times. Send the file, or try later.",
    "too_many_redirects": "The URL redirects more than three times. Use the last URL, or send the file.",
}
"""Why a picture is refused → what its seller reads."""


class PictureRefused(Exception):
    """A picture can't be used, and never will be."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(REASONS[reason])


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture as it is stored: what remains of the original, in pixels, and the file of each size."""

    width: int
    height: int
    files: Mapping[Size, bytes]

    @property
    def sha256(self) -> str:
        """The name of the picture: the digest of its largest file, in hexadecimal."""
        return sha256(self.files[LARGEST]).hexdigest()
