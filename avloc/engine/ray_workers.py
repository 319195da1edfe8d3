"""Workers that are Ray's actors. Only plans, names and rows go through Ray, never pictures."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from typing import Any, Generic, Protocol

from avloc.engine.cluster_options import ClusterOptions, Share
from avloc.engine.ray_actor import actor_class
from avloc.engine.workers import (
    Answer,
    Began,
    Event,
    Item,
    Loss,
    Row,
    Sign,
    Ticket,
    Worker,
)
from avloc.errors import AvlocError, ClusterError

_WATCHED = "watch"
_SIGN_SECONDS = 5.0  # at least, between two signs of a worker


class Work(Protocol):
    """A worker in its process."""

    @property
    def introduction(self) -> object:
        """What the driver should know before the worker begins."""
        ...

    @property
    def n_signs(self) -> int:
        """Grows while it works."""
        ...

    def begin(self, answer: Any) -> None:
        """Take the driver's answer to the introduction; an AvlocError ends the whole run."""
        ...

    def run(self, job: Any) -> Sequence[Any]:
        """Return a row for each item; an AvlocError ends the whole run."""
        ...


class Plan(Protocol):
    """What makes a worker in its process; it travels there pickled, so it must be small."""

    def build(self) -> Work:
        """Load what the worker needs."""
        ...


@dataclass(eq=False)
class _Actor:
    number: Worker
    handle: Any
    host: str = ""
    node: str = ""


@dataclass(frozen=True)
class _Call:
    actor: _Actor
    method: str
    ticket: Ticket = -1


class RayWorkers(Generic[Item, Row]):
    """Workers on a Ray cluster, for a `Driver`.

    Args:
        ray: the module, connected.
        plan: makes a worker.
        welcome: called with each worker's introduction; returns the answer to it, or raises
            an AvlocError, which ends the run.
        options: how many workers.
        share: what each takes of the cluster.
    """

    def __init__(
        self,
        ray: Any,
        plan: Plan,
        welcome: Callable[[Any], object],
        options: ClusterOptions,
        share: Share,
    ) -> None:
        self._ray, self._plan, self._welcome = ray, pickle.dumps(plan), welcome
        self._share, self._n_workers = share, options.n_workers
        self._sign_seconds = min(_SIGN_SECONDS, options.deadline / 5)
        remote = ray.remote(
            num_cpus=share.cpus,
            num_gpus=share.gpus,
            max_restarts=0,  # the driver replaces it: it must know which job was lost
            max_task_retries=0,
            concurrency_groups={_WATCHED: 1},
        )
        kind = actor_class()
        kind.watch = ray.method(concurrency_group=_WATCHED)(kind.watch)
        self._class = remote(kind)
        self._numbers, self._tickets = count(1), count(1)
        self._actors: dict[Worker, _Actor] = {}
        self._calls: dict[Any, _Call] = {}  # by the reference to its result

    def n_wanted(self) -> int:
        """Return how many workers there may be: it grows as nodes join the cluster."""
        return self._n_workers or self._share.n_fitting(self._ray.nodes())

    def start(self) -> Worker:
        """Start a worker as soon as the cluster has room for it."""
        actor = _Actor(next(self._numbers), self._class.remote())
        self._actors[actor.number] = actor
        self._call(actor, "introduce")
        return actor.number

    def submit(self, worker: Worker, job: Sequence[Item]) -> Ticket:
        """Give a worker a job."""
        ticket = next(self._tickets)
        self._call(self._actors[worker], "run", list(job), ticket=ticket)
        return ticket

    def stop(self, worker: Worker) -> None:
        """Kill a worker."""
        actor = self._actors.pop(worker)
        self._calls = {ref: call for ref, call in self._calls.items() if call.actor is not actor}
        self._ray.kill(actor.handle)

    def wait(self, seconds: float) -> list[Event[Row]]:
        """Return what has happened; ClusterError if a machine cannot work for us."""
        if not self._calls:
            time.sleep(seconds)
            return []
        refs = list(self._calls)
        if not self._ray.wait(refs, num_returns=1, timeout=seconds)[0]:
            return []
        ready, _ = self._ray.wait(refs, num_returns=len(refs), timeout=0)
        results = [(self._calls.pop(ref), self._result(ref)) for ref in ready]
        events: list[Event[Row]] = []
        for call, result in results:
            if not isinstance(result, Exception):
                events += self._take(call, result)
        lost = {call.actor: result for call, result in results if isinstance(result, Exception)}
        return [*events, *(self._loss(actor, error) for actor, error in lost.items())]

    def _call(self, actor: _Actor, method: str, *given: object, ticket: Ticket = -1) -> None:
        reference = getattr(actor.handle, method).remote(*given)
        self._calls[reference] = _Call(actor, method, ticket)

    def _result(self, reference: Any) -> object:
        """Return a call's result, or the error that cost the worker; others are raised."""
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, AvlocError):
                raise error.cause from None
            return error
        except self._ray.exceptions.RayError as error:
            return error

    def _take(self, call: _Call, result: Any) -> list[Event[Row]]:
        actor = call.actor
        if call.method == "run":
            return [Answer(call.ticket, result)]
        if call.method == "introduce":
            installed, actor.host, actor.node = result
            check_version(installed, actor.host)
            self._call(actor, "prepare", self._plan)
        elif call.method == "prepare":
            self._call(actor, "begin", self._welcome(result))
        elif call.method == "begin":
            self._call(actor, _WATCHED, 0, self._sign_seconds)
            return [Began(actor.number)]
        else:
            self._call(actor, _WATCHED, result, self._sign_seconds)
        return [Sign(actor.number)]

    def _loss(self, actor: _Actor, error: Exception) -> Loss:
        cause = getattr(error, "cause", None)
        if isinstance(cause, Exception):
            text = " ".join(str(cause).split())
            return Loss(actor.number, f"{type(cause).__name__}: {text:.300}")
        nodes = {node["NodeID"]: node["Alive"] for node in self._ray.nodes()}
        is_blameless = (
            getattr(error, "preempted", False)
            or "node has died" in str(error)
            or not nodes.get(actor.node, True)
        )
        where = f" on {actor.host}" if actor.host else ""
        return Loss(actor.number, f"the worker{where} died", is_blameless)


def check_version(installed: str, host: str) -> None:
    """Refuse a machine with another version of avloc, or with none."""
    if installed != (here := version("avloc")):
        what = f"avloc {installed}" if installed else "no avloc"
        raise ClusterError(
            f"{host} has {what}, and this machine {here}",
            "Install the same version on every node of the cluster.",
        )
