"""How much of a file is read: how deep, and how many bytes at most."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Depth(Enum):
    """How far into a file its readers go.

    Where an array's numbers are not kept, `Arrays.read` returns one of its shape and type
    that takes no memory.
    """

    HEADERS = "what the file declares; of arrays only those that are small"
    PIECES = "every byte, and nothing is kept"
    WHOLE = "every byte, in memory"


@dataclass
class Budget:
    """The bytes that may still be read.

    It begins with the file's size: arrays that share their bytes on disk, under thousands of
    names, would otherwise take thousands of times as much in memory.
    """

    n_bytes: int

    def spend(self, n_bytes: int, name: str) -> None:
        """Take what an array asks for.

        Raises:
            ValueError: the file is not large enough to hold it.
        """
        if n_bytes > self.n_bytes:
            raise ValueError(f"{name} declares {n_bytes} bytes, more than the file can hold")
        self.n_bytes -= n_bytes
