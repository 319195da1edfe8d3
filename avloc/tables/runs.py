"""Runs in parallel, each in its own process; a finished run is not repeated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import torch
from pebble import ProcessPool
from threadpoolctl import threadpool_limits

from avloc.artifacts import (
    FeatureStore,
    Location,
    Predictions,
    read_predictions,
    write_model,
    write_predictions,
)
from avloc.datasets import load_dataset
from avloc.devices import choose_device, count_cores
from avloc.errors import ArtifactError
from avloc.evaluation.evaluator import evaluate
from avloc.interrupts import interrupts_blocked
from avloc.progress import Progress
from avloc.tables.plan import PlannedRun
from avloc.training import TrainingConfig, TrainingData, load_splits
from avloc.training.fit import fit


@dataclass(frozen=True)
class RunFailure:
    """A run that failed, and why."""

    run: PlannedRun
    reason: str


@dataclass(frozen=True)
class RunSet:
    """Runs on one set of features and labels, and the folder of their results."""

    runs: Sequence[PlannedRun]
    store: Path
    dataset: Location
    folder: Path


def run_all(
    sets: Sequence[RunSet],
    *,
    device: str,
    jobs: int | None,
    progress: Progress,
) -> list[RunFailure]:
    """Do the runs whose predictions are not in their folder; return those that failed.

    ``jobs`` processes share the cores; by default one per core, or one on a GPU. The sets are
    done in turn by the same processes, which read features again where a set ends only.
    """
    todo = [(s, run) for s in sets for run in s.runs if finished(run, s.folder) is None]
    n_runs = sum(len(run_set.runs) for run_set in sets)
    n_done = n_runs - len(todo)
    progress(n_done, n_runs, "")
    failures = []
    n_jobs = jobs or (1 if choose_device(device).type == "cuda" else count_cores())
    with _pool(min(n_jobs, max(1, len(todo)))) as pool:
        with interrupts_blocked():
            started: dict[Future[None], PlannedRun] = {
                pool.schedule(_run, args=(run, s.store, s.dataset, s.folder, device)): run
                for s, run in todo
            }
        for future in as_completed(started):
            run, error = started[future], future.exception()
            if error is not None:
                failures.append(RunFailure(run, str(error) or type(error).__name__))
            n_done += 1
            progress(n_done, n_runs, f"{run.row.name}, seed {run.training.seed}")
    return failures


def finished(run: PlannedRun, folder: Path) -> Predictions | None:
    """Return a run's predictions; None where they are missing or damaged."""
    try:
        return read_predictions(run.predictions_path(folder))
    except ArtifactError:
        return None


def _run(run: PlannedRun, store: Path, dataset: Location, folder: Path, device: str) -> None:
    """Train and evaluate; write the model, and then its predictions on test."""
    features, labelled = FeatureStore.open(store), load_dataset(dataset)
    model = fit(
        features,
        labelled,
        model=run.row.model,
        options=run.options,
        config=run.training,
        device=device,
        data=_splits(store, dataset, _without_seed(run.training)),
    )
    predictions, _ = evaluate(model, features, labelled, device=device)
    write_model(run.model_path(folder), model)
    write_predictions(run.predictions_path(folder), predictions)


def _without_seed(config: TrainingConfig) -> TrainingConfig:
    """Keep only the settings on which the splits depend, so that they are read once."""
    names = ("labels", "select", "window", "hold_out", "hold_out_seed")
    return replace(TrainingConfig(), **{name: getattr(config, name) for name in names})


@lru_cache(maxsize=1)
def _splits(store: Path, dataset: Location, config: TrainingConfig) -> TrainingData:
    return load_splits(FeatureStore.open(store), load_dataset(dataset), config)


@contextmanager
def _pool(n_jobs: int) -> Iterator[ProcessPool]:
    """Yield a pool of processes, which end at once when the block ends early."""
    pool = ProcessPool(
        n_jobs,
        initializer=_limit_threads,
        initargs=(max(1, count_cores() // n_jobs),),
        context=get_context("spawn"),
    )
    try:
        yield pool
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def _limit_threads(n_threads: int) -> None:
    torch.set_num_threads(n_threads)
    threadpool_limits(n_threads)
