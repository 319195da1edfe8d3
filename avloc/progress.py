"""How long work reports its progress to the caller; the library itself never prints."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

Progress = Callable[[float, int, str], None]
"""Called with (done, total, what is in progress); ``done`` may be a fraction."""


def silent(done: float, total: int, what: str) -> None:
    """Report nothing: the default."""


_sign: ContextVar[Callable[[], None]] = ContextVar("sign", default=lambda: None)


def give_sign() -> None:
    """Signal that this thread makes progress: called at every packet read and block hashed."""
    _sign.get()()


def send_signs_to(watcher: Callable[[], None]) -> None:
    """Call ``watcher`` at every sign of this thread; it may raise an error to end the work."""
    _sign.set(watcher)
