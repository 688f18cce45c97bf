"""Allocates free ports, which no other test session gets at the same time."""

import random
import socket

from common.settings import LOOPBACK, PORTS

OFFSETS = range(11_000, 23_000)
"""Port offsets that users hardly choose, with all ports below those of outgoing connections (32,768 on)."""

_claims: list[socket.socket] = []
"""A socket for each claimed port, open until this process ends."""


def free_offset() -> int:
    """Return a port offset at which every port of a copy is free, and which only this process gets.

    A claim is a Unix socket with an abstract name, which is not in the file system.
    """
    for offset in random.sample(OFFSETS, len(OFFSETS)):
        ports = [port + offset for port in PORTS.values()]
        claims = [claim for port in ports if (claim := _claim(port))]
        if len(claims) == len(ports) and all(map(_is_free, ports)):
            _claims.extend(claims)
            return offset
        for claim in claims:
            claim.close()
    raise AssertionError(f"no free ports at any offset from {OFFSETS.start} to {OFFSETS.stop}")


def _claim(port: int) -> socket.socket | None:
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0souk-test-port-{port}")
    except OSError:
        claim.close()
        return None
    return claim


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
