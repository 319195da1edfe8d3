"""Workers without processes: time passes when the driver waits, and what happens is drawn."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from avloc.engine.driver import MOST_IN_FLIGHT
from avloc.engine.workers import Answer, Began, Event, Loss, Sign


@dataclass
class _Simulated:
    number: int
    state: str = "placed"  # then "ready", or "hung"
    jobs: deque[tuple[int, tuple[int, ...]]] = field(default_factory=deque)


class SimulatedWorkers:
    """Asks ``fate(worker, job)`` what becomes of each step of a worker; job is () where it begins.

    A fate is done, later, die, node (the machine goes away), hang, sign, or slow (nothing is
    heard). ``size()`` is how many workers there may be.
    """

    def __init__(self, fate: Callable[[int, tuple[int, ...]], str], size: Callable[[], int]):
        self._fate, self._size = fate, size
        self._numbers, self._tickets = count(), count()
        self._alive: dict[int, _Simulated] = {}
        self.now = 0.0
        self.n_done: Counter[int] = Counter()
        self.n_given: Counter[int] = Counter()
        self.deaths_at: Counter[int] = Counter()
        self.most_workers = 0

    def clock(self) -> float:
        return self.now

    def n_wanted(self) -> int:
        return self._size()

    def start(self) -> int:
        number = next(self._numbers)
        self._alive[number] = _Simulated(number)
        self.most_workers = max(self.most_workers, len(self._alive))
        return number

    def submit(self, worker: int, job: Sequence[int]) -> int:
        simulated = self._alive[worker]
        assert simulated.state != "placed", "a job for a worker that has not begun"
        assert len(simulated.jobs) < MOST_IN_FLIGHT
        ticket = next(self._tickets)
        simulated.jobs.append((ticket, tuple(job)))
        self.n_given.update(job)
        return ticket

    def stop(self, worker: int) -> None:
        self._alive.pop(worker, None)

    def wait(self, seconds: float) -> list[Event[str]]:
        self.now += seconds
        return [event for worker in list(self._alive.values()) for event in self._step(worker)]

    def n_alive(self) -> int:
        return len(self._alive)

    def _step(self, worker: _Simulated) -> list[Event[str]]:
        if worker.state == "hung" or (worker.state == "ready" and not worker.jobs):
            return []
        ticket, job = worker.jobs[0] if worker.jobs else (-1, ())
        fate = self._fate(worker.number, job)
        if fate in ("die", "node"):
            del self._alive[worker.number]
            if fate == "die":
                self.deaths_at.update(job)
            return [Loss(worker.number, f"it was told to {fate}", is_blameless=fate == "node")]
        if fate == "hang":
            worker.state = "hung"
            self.deaths_at.update(job)
            return [Sign(worker.number)] if not job else []  # it has a machine
        if fate == "sign":
            return [Sign(worker.number)]
        if fate == "slow":
            return []
        if not job:
            worker.state = "ready"
            return [Began(worker.number)]
        worker.jobs.popleft()
        if fate == "done":
            self.n_done.update(job)
        return [Answer(ticket, [fate] * len(job))]
