"""The jobs that no worker has: new ones, those given back, and those for later."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Generic

from avloc.engine.workers import Item


@dataclass(eq=False)
class Entry(Generic[Item]):
    """An item, and what became of the workers that had it."""

    item: Item
    n_deaths: int = 0  # workers that died at it
    n_losses: int = 0  # these, and workers that had it when their machine went away
    was_lost: bool = False


Job = list[Entry[Item]]


class WaitingJobs(Generic[Item]):
    """Jobs of ``n_at_once`` items; the items are taken from their iterator when needed."""

    def __init__(self, items: Iterable[Item], n_at_once: int) -> None:
        self._items: Iterator[Entry[Item]] = map(Entry, items)
        self._n_at_once = n_at_once
        self._ready: deque[Job[Item]] = deque()
        self._later: deque[tuple[float, Entry[Item]]] = deque()

    def has(self, n_jobs: int) -> bool:
        """Tell whether at least so many jobs can be begun now."""
        while len(self._ready) < n_jobs:
            job = list(islice(self._items, self._n_at_once))
            if not job:
                return False
            self._ready.append(job)
        return True

    def next(self) -> Job[Item]:
        """Return the next job; call it only if `has(1)`."""
        return self._ready.popleft()

    def give_back(self, job: Job[Item]) -> None:
        """Take back a job, to be done next."""
        self._ready.appendleft(job)

    def postpone(self, entry: Entry[Item], until: float) -> None:
        """Keep an item for later; times must not decrease from call to call."""
        self._later.append((until, entry))

    def bring_back(self, now: float) -> None:
        """Let items whose time has come be done next."""
        while self._later and self._later[0][0] <= now:
            job: Job[Item] = []
            while self._later and self._later[0][0] <= now and len(job) < self._n_at_once:
                job.append(self._later.popleft()[1])
            self._ready.appendleft(job)

    @property
    def later(self) -> list[Item]:
        """The items that are kept for later."""
        return [entry.item for _, entry in self._later]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left, neither for now nor for later."""
        return not self._later and not self.has(1)
