"""What a set of workers must offer a driver, and what it reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Row = TypeVar("Row")
_Item = TypeVar("_Item", contravariant=True)
_Row = TypeVar("_Row", covariant=True)
Worker = int
"""A worker's number. A worker that replaces another has a new number."""
Ticket = int
"""The number of a job that was submitted."""


@dataclass(frozen=True)
class Began:
    """A worker can take jobs."""

    worker: Worker


@dataclass(frozen=True)
class Sign:
    """A worker makes progress. Before it began: it has a machine, and gets ready."""

    worker: Worker


@dataclass(frozen=True)
class Answer(Generic[_Row]):
    """A job is done: a row for each of its items, in their order."""

    ticket: Ticket
    rows: Sequence[_Row]


@dataclass(frozen=True)
class Loss:
    """A worker has died, and the jobs that it had are not done."""

    worker: Worker
    reason: str
    is_blameless: bool = False  # its machine went away, so none of its jobs is the cause


Event = Began | Sign | Answer[_Row] | Loss


class Workers(Protocol[_Item, _Row]):
    """A set of workers, each of which does its jobs in the order in which it got them."""

    def n_wanted(self) -> int:
        """Return how many workers there may be now; it may change at any time."""
        ...

    def start(self) -> Worker:
        """Start a worker without waiting for it; `Began` or `Loss` follows."""
        ...

    def submit(self, worker: Worker, job: Sequence[_Item]) -> Ticket:
        """Give a worker a job without waiting for it; `Answer` or `Loss` follows."""
        ...

    def wait(self, seconds: float) -> Sequence[Event[_Row]]:
        """Return what has happened since the last call; wait for it no longer than this.

        The answers of a worker come before its loss. An error that ends the run is raised here.
        """
        ...

    def stop(self, worker: Worker) -> None:
        """End a worker at once, also in the middle of a job. Nothing more is reported of it."""
        ...
