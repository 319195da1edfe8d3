"""Flow control: jobs shared out to workers that may die, hang, come and go."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Generic

from avloc.engine.waiting_jobs import Job, WaitingJobs
from avloc.engine.workers import (
    Answer,
    Began,
    Event,
    Item,
    Loss,
    Row,
    Ticket,
    Worker,
    Workers,
)
from avloc.errors import ClusterError

MOST_IN_FLIGHT = 2
"""Jobs of a worker: while it does one, the next is on its way."""
MOST_DEATHS = 2
"""So many workers die at an item before it is given up."""
MOST_LOSSES = 5
"""So many workers lose an item, also without its fault, before it is given up."""
_MOST_FALSE_STARTS = 3  # in a row, before the run is given up
_LOOK_SECONDS = 1.0
_LONGEST_PAUSE = 60.0  # before a worker is started where others could not begin
_LONGEST_LOOK = 5.0  # in a longer one this process itself was held up, and hears nothing


@dataclass(frozen=True)
class Outcome(Generic[Item, Row]):
    """An item that is done or given up, and its row.

    ``was_lost``: a worker that had it died. It may have done the item, in which case the row is
    what the next worker says of an item that is done already.
    """

    item: Item
    row: Row
    was_lost: bool = False


@dataclass(eq=False)
class _Lane:
    """A worker, and the tickets of its jobs in their order."""

    worker: Worker
    heard_at: float | None = None  # None: it waits for a machine
    has_begun: bool = False
    tickets: deque[Ticket] = field(default_factory=deque)


class Driver(Generic[Item, Row]):
    """Gives items to workers, a few at once, and yields a row for each.

    A worker has at most two jobs. One that dies, or gives no sign for ``deadline`` seconds, is
    replaced, and its jobs are given to others. As a worker does its jobs in order, only the first
    is suspected: its items are tried again, each as a job of its own, and an item at which two
    workers die gets the row that ``failed`` makes of it.

    Args:
        workers: what does the jobs.
        failed: makes the row of an item that is given up, for a reason.
        is_postponed: tells whether a row means that the item is to be tried again later.
        n_at_once: items of a job.
        deadline: seconds without a sign after which a worker that has a job is ended.
        start_seconds: the same for a worker that has a machine but has not begun.
        patience: seconds after which a postponed item is tried again.
        clock: gives the seconds.
    """

    def __init__(
        self,
        workers: Workers[Item, Row],
        failed: Callable[[Item, str], Row],
        is_postponed: Callable[[Row], bool] = lambda row: False,
        *,
        n_at_once: int = 1,
        deadline: float = 600.0,
        start_seconds: float = 1800.0,
        patience: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workers, self._failed, self._is_postponed = workers, failed, is_postponed
        self._n_at_once, self._patience = n_at_once, patience
        self._deadline, self._start_seconds = deadline, start_seconds
        self._clock = clock
        self._clock_read = clock()
        self._now = 0.0
        self._next_look = 0.0
        self._next_start = 0.0
        self._n_wanted = 0
        self._n_false_starts = 0
        self._lanes: dict[Worker, _Lane] = {}
        self._free: dict[Worker, None] = {}  # workers that may get another job, in order
        self._jobs: dict[Ticket, tuple[_Lane, Job[Item]]] = {}
        self._waiting: WaitingJobs[Item] = WaitingJobs((), n_at_once)

    @property
    def postponed(self) -> list[Item]:
        """The items that are to be tried again later."""
        return self._waiting.later

    @property
    def n_workers(self) -> int:
        """How many workers have begun."""
        return sum(lane.has_begun for lane in self._lanes.values())

    def run(self, items: Iterable[Item]) -> Iterator[Outcome[Item, Row]]:
        """Yield each item's outcome as it comes; leaving the iteration ends the workers.

        Items are taken from ``items`` when workers need them.
        """
        self._waiting = WaitingJobs(items, self._n_at_once)
        self._n_wanted = self._workers.n_wanted()
        try:
            while self._jobs or not self._waiting.is_empty:
                self._let_time_pass()
                self._start()
                self._fill()
                for event in self._workers.wait(_LOOK_SECONDS):
                    yield from self._take(event)
                if self._now >= self._next_look:
                    yield from self._look()
        finally:
            for lane in list(self._lanes.values()):
                self._end(lane)

    def _let_time_pass(self) -> None:
        read = self._clock()
        self._now += min(read - self._clock_read, _LONGEST_LOOK)
        self._clock_read = read
        self._waiting.bring_back(self._now)

    def _look(self) -> Iterator[Outcome[Item, Row]]:
        """Now and then: ask for the number of workers, release idle ones, replace silent ones."""
        self._next_look = self._now + _LOOK_SECONDS
        self._n_wanted = self._workers.n_wanted()
        if self._waiting.is_empty:
            idle = [lane for lane in self._lanes.values() if not lane.tickets]
            idle.sort(key=lambda lane: lane.has_begun)
            for lane in idle[:-1]:  # the last may have to do what another loses
                self._end(lane)
        for lane in list(self._lanes.values()):
            limit = self._deadline if lane.has_begun else self._start_seconds
            is_at_work = lane.tickets or not lane.has_begun
            if is_at_work and lane.heard_at is not None and self._now - lane.heard_at >= limit:
                yield from self._lose(lane, f"no sign of work for {limit:.0f} s")

    def _start(self) -> None:
        """Start workers: as many as there may be, and as there are jobs for."""
        if len(self._lanes) >= self._n_wanted or self._now < self._next_start:
            return
        n_idle = sum(not lane.tickets for lane in self._lanes.values())
        while len(self._lanes) < self._n_wanted and self._waiting.has(n_idle + 1):
            lane = _Lane(self._workers.start())
            self._lanes[lane.worker] = lane
            n_idle += 1

    def _fill(self) -> None:
        """Give idle workers a job, and others a second one while there are plenty."""
        for n_jobs in range(MOST_IN_FLIGHT):
            for worker in list(self._free):
                n_needed = 1 if n_jobs == 0 else len(self._lanes)
                if not self._waiting.has(n_needed):
                    break
                if len(self._lanes[worker].tickets) == n_jobs:
                    self._submit(self._lanes[worker])

    def _submit(self, lane: _Lane) -> None:
        job = self._waiting.next()
        if not lane.tickets:
            lane.heard_at = self._now  # its silence so far was nothing to do
        ticket = self._workers.submit(lane.worker, [entry.item for entry in job])
        lane.tickets.append(ticket)
        self._jobs[ticket] = lane, job
        if len(lane.tickets) == MOST_IN_FLIGHT:
            del self._free[lane.worker]

    def _take(self, event: Event[Row]) -> Iterator[Outcome[Item, Row]]:
        if isinstance(event, Answer):
            yield from self._answered(event)
        elif event.worker in self._lanes:
            lane = self._lanes[event.worker]
            lane.heard_at = self._now
            if isinstance(event, Loss):
                yield from self._lose(lane, event.reason, is_blameless=event.is_blameless)
            elif isinstance(event, Began):
                lane.has_begun, self._n_false_starts = True, 0
                self._free[lane.worker] = None

    def _answered(self, answer: Answer[Row]) -> Iterator[Outcome[Item, Row]]:
        if answer.ticket not in self._jobs:
            return  # of a worker that was given up
        lane, job = self._jobs.pop(answer.ticket)
        lane.tickets.remove(answer.ticket)
        lane.heard_at = self._now
        self._free[lane.worker] = None
        for entry, row in zip(job, answer.rows, strict=True):
            if self._is_postponed(row):
                self._waiting.postpone(entry, self._now + self._patience)
            else:
                yield Outcome(entry.item, row, entry.was_lost)

    def _lose(
        self, lane: _Lane, reason: str, *, is_blameless: bool = False
    ) -> Iterator[Outcome[Item, Row]]:
        """Give a worker's jobs to others; of the first, its items one by one."""
        jobs = [self._jobs[ticket][1] for ticket in lane.tickets]
        self._end(lane)
        if not lane.has_begun:
            self._note_false_start(reason, is_blameless=is_blameless)
        for entry in chain.from_iterable(jobs):
            entry.was_lost = True
        for job in reversed(jobs[1:]):
            self._waiting.give_back(job)
        for entry in reversed(jobs[0] if jobs else ()):
            entry.n_losses += 1
            entry.n_deaths += not is_blameless and len(jobs[0]) == 1
            if entry.n_deaths == MOST_DEATHS or entry.n_losses == MOST_LOSSES:
                row = self._failed(entry.item, reason)
                yield Outcome(entry.item, row, entry.was_lost)
            else:
                self._waiting.give_back([entry])

    def _note_false_start(self, reason: str, *, is_blameless: bool) -> None:
        self._n_false_starts += not is_blameless
        if self._n_false_starts >= _MOST_FALSE_STARTS and not self.n_workers:
            raise ClusterError(f"no worker can begin: {reason}")
        self._next_start = self._now + min(2.0**self._n_false_starts, _LONGEST_PAUSE)

    def _end(self, lane: _Lane) -> None:
        self._workers.stop(lane.worker)
        for ticket in lane.tickets:
            del self._jobs[ticket]
        del self._lanes[lane.worker]
        self._free.pop(lane.worker, None)
