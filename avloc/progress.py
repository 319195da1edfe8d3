"""How long work tells its caller how far it is: the library itself never prints."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

Progress = Callable[[float, int, str], None]
"""Called with (done, total, what it is at); what is done may be a fraction."""


def silent(done: float, total: int, what: str) -> None:
    """Say nothing: the progress of a caller that gave none."""


def _unwatched() -> None:
    """Do nothing: nobody limits this thread's silence."""


_sign: ContextVar[Callable[[], None]] = ContextVar("sign", default=_unwatched)


def give_sign() -> None:
    """Say that this thread's work goes on: called at every packet read and block hashed."""
    _sign.get()()


def send_signs_to(watcher: Callable[[], None]) -> None:
    """Have every sign of this thread's work call ``watcher``, which may raise to end the work."""
    _sign.set(watcher)
