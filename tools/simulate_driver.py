"""Run the driver of ``--engine ray`` with simulated workers: python tools/simulate_driver.py

The clock is simulated, so that a million jobs take minutes. Workers die, hang, cannot begin, and
come and go with their machines; some jobs kill every worker. It fails if a worker ever has more
than two jobs, or if a job does not end exactly once, and prints what the driver costs.
"""

from __future__ import annotations

import argparse
import heapq
import resource
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from avloc.engine.driver import MOST_DEATHS, MOST_IN_FLIGHT, Driver
from avloc.engine.workers import Answer, Began, Event, Loss, Ticket, Worker

DEADLINE = 600.0  # seconds; the driver's default
JOB_SECONDS = 20.0  # on average: a clip of 10 s on one core
START_SECONDS = (5.0, 60.0)
WORKERS_OF_A_MACHINE = 8
RESIZED_SECONDS = 1800.0  # how often the cluster's size changes


@dataclass(frozen=True)
class Faults:
    """How often what goes wrong, as shares of jobs; ``start`` of starts."""

    die: float = 1e-3
    hang: float = 1e-4
    poison: float = 1e-4  # jobs that kill every worker
    unheard: float = 1e-4  # jobs that are done by a worker that dies before it says so
    machine: float = 2e-4  # jobs in which the machine goes away, with all its workers
    start: float = 0.01


@dataclass(eq=False)
class _Simulated:
    """A worker: its jobs, and the one under way."""

    machine: int
    began: float | None = None
    jobs: deque[tuple[Ticket, int]] = field(default_factory=deque)
    busy_since: float | None = None


class SimulatedCluster:
    """Workers of which any may die, hang, come and go; see `avloc.engine.workers.Workers`.

    Attributes:
        now: the simulated clock.
        n_done: how often each job was done.
        most_in_flight: the most jobs that a worker had.
        own_seconds: what the simulation itself took, of this machine's time.
        alive_seconds, busy_seconds: of all workers, since each began.
    """

    def __init__(self, n_jobs: int, n_workers: int, faults: Faults, seed: int) -> None:
        self.now = self.own_seconds = self.alive_seconds = self.busy_seconds = 0.0
        self.n_done = bytearray(n_jobs)
        self.most_in_flight = self.n_losses = self.n_hung = 0
        self._draw, self._faults = Random(seed), faults
        self.poison = {k for k in range(n_jobs) if self._draw.random() < faults.poison}
        self._n_workers = self._n_wanted = n_workers
        self._resized_at = RESIZED_SECONDS
        self._numbers, self._born = count(), count()
        self._workers: dict[Worker, _Simulated] = {}
        self._coming: list[tuple[float, int, Worker, Event[str] | None]] = []

    def clock(self) -> float:
        """Return the simulated seconds."""
        return self.now

    def n_wanted(self) -> int:
        """Return the cluster's size, which changes now and then."""
        if self.now >= self._resized_at:
            self._resized_at = self.now + RESIZED_SECONDS
            self._n_wanted = round(self._n_workers * self._draw.uniform(0.5, 1.0))
        return self._n_wanted

    def start(self) -> Worker:
        """Start a worker, which may fail to begin."""
        worker = next(self._born)
        self._workers[worker] = _Simulated(worker // WORKERS_OF_A_MACHINE)
        is_born = self._draw.random() >= self._faults.start
        event = Began(worker) if is_born else Loss(worker, "it could not begin")
        self._let_come(self._draw.uniform(*START_SECONDS), worker, event)
        return worker

    def submit(self, worker: Worker, job: Sequence[int]) -> Ticket:
        """Give a worker a job."""
        began = time.perf_counter()
        ticket, state = next(self._numbers), self._workers[worker]
        state.jobs.append((ticket, job[0]))
        self.most_in_flight = max(self.most_in_flight, len(state.jobs))
        assert len(state.jobs) <= MOST_IN_FLIGHT
        if len(state.jobs) == 1:
            self._work(worker)
        self.own_seconds += time.perf_counter() - began
        return ticket

    def wait(self, seconds: float) -> Sequence[Event[str]]:
        """Let the clock go to the next event."""
        began = time.perf_counter()
        events: list[Event[str]] = []
        until = self.now + seconds
        if self._coming and self._coming[0][0] <= until:
            self.now = self._coming[0][0]
            while self._coming and self._coming[0][0] <= self.now:
                _, _, worker, event = heapq.heappop(self._coming)
                if worker in self._workers:  # nothing is reported of one that was ended
                    events += self._happen(worker, event)
        else:
            self.now = until
        self.own_seconds += time.perf_counter() - began
        return events

    def stop(self, worker: Worker) -> None:
        """End a worker."""
        state = self._workers.pop(worker, None)
        if state is None:
            return
        if state.began is not None:
            self.alive_seconds += self.now - state.began
        if state.busy_since is not None:
            self.busy_seconds += self.now - state.busy_since

    @property
    def n_alive(self) -> int:
        """How many workers there are."""
        return len(self._workers)

    def _let_come(self, seconds: float, worker: Worker, event: Event[str] | None) -> None:
        heapq.heappush(self._coming, (self.now + seconds, next(self._numbers), worker, event))

    def _work(self, worker: Worker) -> None:
        """Begin a worker's next job: its end, or its misfortune, follows."""
        state, faults, chance = self._workers[worker], self._faults, self._draw.random()
        state.busy_since = self.now
        ticket, item = state.jobs[0]
        seconds = min(self._draw.expovariate(1 / JOB_SECONDS), DEADLINE / 2)
        event: Event[str] | None = Answer(ticket, ["done"])
        if item in self.poison or chance < faults.die:
            event = Loss(worker, "it died")
        elif chance < faults.die + faults.machine:
            event = Loss(worker, "its machine went away", is_blameless=True)
        elif chance < faults.die + faults.machine + faults.unheard:
            event = Loss(worker, "it died after the job")
            self.n_done[item] += 1
        elif chance < faults.die + faults.machine + faults.unheard + faults.hang:
            self.n_hung += 1
            state.busy_since = None
            return
        self._let_come(seconds, worker, event)

    def _happen(self, worker: Worker, event: Event[str] | None) -> list[Event[str]]:
        state = self._workers[worker]
        if isinstance(event, Began):
            state.began = self.now
        elif isinstance(event, Answer):
            _, item = state.jobs.popleft()
            self.n_done[item] += 1
            assert state.busy_since is not None
            self.busy_seconds += self.now - state.busy_since
            state.busy_since = None
            if state.jobs:
                self._work(worker)
        elif isinstance(event, Loss):
            gone = [worker]
            if event.is_blameless:
                gone = [w for w, s in self._workers.items() if s.machine == state.machine]
            self.n_losses += len(gone)
            for other in gone:
                self.stop(other)
            return [Loss(w, event.reason, event.is_blameless) for w in gone]
        return [] if event is None else [event]


def simulate(n_jobs: int, n_workers: int, faults: Faults, seed: int) -> dict[str, float]:
    """Do all jobs, check what must hold, and return what was measured, by name."""
    cluster = SimulatedCluster(n_jobs, n_workers, faults, seed)
    driver: Driver[int, str] = Driver(
        cluster, failed=lambda item, reason: "failed", deadline=DEADLINE, clock=cluster.clock
    )
    n_rows, n_failed, n_twice = bytearray(n_jobs), 0, 0
    memory, began = peak_mib(), time.perf_counter()
    for outcome in driver.run(range(n_jobs)):
        n_rows[outcome.item] += 1
        n_failed += outcome.row == "failed"
        is_done = cluster.n_done[outcome.item]
        n_twice += is_done > 1
        assert is_done or outcome.row == "failed"
        assert is_done <= 1 or outcome.was_lost
    seconds = time.perf_counter() - began - cluster.own_seconds
    assert n_rows.count(1) == n_jobs, "a job has no row, or two"
    assert all(not cluster.n_done[item] for item in cluster.poison)
    assert n_failed >= len(cluster.poison)
    assert cluster.most_in_flight == MOST_IN_FLIGHT
    assert cluster.n_alive == 0
    return {
        "jobs": n_jobs,
        "workers": n_workers,
        "jobs with exactly one row": n_rows.count(1),
        "jobs that kill every worker": len(cluster.poison),
        f"given up after {MOST_DEATHS} deaths": n_failed,
        "done twice": n_twice,
        "workers lost": cluster.n_losses,
        "workers hung": cluster.n_hung,
        "most jobs in flight a worker": cluster.most_in_flight,
        "simulated hours": cluster.now / 3600,
        "workers busy, percent": 100 * cluster.busy_seconds / cluster.alive_seconds,
        "driver, microseconds a job": 1e6 * seconds / n_jobs,
        "memory of driver and simulation, MiB more": peak_mib() - memory,
    }


def peak_mib() -> float:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Read the arguments, simulate, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for name, value in simulate(given.jobs, given.workers, Faults(), given.seed).items():
        sys.stdout.write(f"{name:<45} {value:>12,.6g}\n")


if __name__ == "__main__":
    main()
