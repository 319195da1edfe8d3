"""How long work tells its caller how far it is: the library itself never prints."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, int, str], None]
"""Called with (done, total, what it is at); what is done may be a fraction."""


def silent(done: float, total: int, what: str) -> None:
    """Say nothing: the progress of a caller that gave none."""
