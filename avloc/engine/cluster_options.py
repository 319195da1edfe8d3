"""Which cluster a run works on, and what each worker takes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from avloc.engine import ENGINES
from avloc.errors import ClusterError, UnknownNameError, UsageError


@dataclass(frozen=True)
class ClusterOptions:
    """Which cluster, and what each worker takes of it.

    Attributes:
        address: ``HOST:PORT``, ``auto`` for the cluster that this machine belongs to,
            ``local`` for a new cluster on this machine; empty for ``$RAY_ADDRESS``, else a new one.
        n_workers: how many workers; None for as many as the cluster has room for.
        cpus: cores a worker; None for one, or for its share of the cores of a node with GPUs.
        gpus: GPUs a worker, also fractions; None for one where the cluster has any.
        deadline: seconds without a sign of work after which a worker is replaced.
        n_at_once: videos that a worker extracts at once; None for 2 on a CPU, 16 on a GPU.
    """

    address: str = ""
    n_workers: int | None = None
    cpus: float | None = None
    gpus: float | None = None
    deadline: float = 600.0
    n_at_once: int | None = None

    def __post_init__(self) -> None:
        for name, amount in (("CPUs", self.cpus), ("GPUs", self.gpus)):
            if amount is not None and (amount < 0 or (name == "CPUs" and not amount)):
                raise UsageError(f"a worker cannot have {amount:g} {name}")
        if self.n_workers is not None and self.n_workers < 1:
            raise UsageError(f"cannot work with {self.n_workers} workers", "Give 1 or more.")

    def share(self, nodes: Sequence[Mapping[str, Any]]) -> Share:
        """Return what a worker takes of these nodes; ClusterError if none can have a worker."""
        has = [node["Resources"] for node in nodes if node["Alive"]]
        with_gpu = [resources for resources in has if resources.get("GPU")]
        gpus = float(bool(with_gpu)) if self.gpus is None else self.gpus
        cpus = self.cpus
        if cpus is None:
            parts = [r.get("CPU", 0) / r["GPU"] * gpus for r in with_gpu if gpus]
            cpus = max(1.0, float(int(min(parts, default=1.0))))
        share = Share(cpus, gpus)
        if self.n_workers is None and not share.n_fitting(nodes):
            raise ClusterError(
                f"no node of the cluster has {share} for a worker",
                "Ask for less (--cpus, --gpus), or give --cluster-workers if nodes are to come.",
            )
        return share


@dataclass(frozen=True)
class Share:
    """Cores and GPUs of a worker."""

    cpus: float
    gpus: float

    def __str__(self) -> str:
        cores = f"{self.cpus:g} CPU{'s' * (self.cpus != 1)}"
        return cores + f" and {self.gpus:g} GPU{'s' * (self.gpus != 1)}" * bool(self.gpus)

    def n_fitting(self, nodes: Sequence[Mapping[str, Any]]) -> int:
        """Return how many workers the living nodes of a cluster have room for."""
        has = [node["Resources"] for node in nodes if node["Alive"]]
        n_fitting = [int(resources.get("CPU", 0) / self.cpus + 1e-6) for resources in has]
        if self.gpus:
            by_gpus = [int(resources.get("GPU", 0) / self.gpus + 1e-6) for resources in has]
            n_fitting = list(map(min, n_fitting, by_gpus))
        return sum(n_fitting)


def choose_engine(engine: str, device: str, options: ClusterOptions) -> ClusterOptions | None:
    """Return the cluster to work on; None for the engine ``local``."""
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if engine == "local":
        if options != ClusterOptions():
            raise UsageError("a cluster was named, and the engine is local", "Add --engine ray.")
        return None
    is_on_cpu = device == "cpu" and options.gpus is None
    return replace(options, gpus=0.0) if is_on_cpu else options
