"""Runs done side by side, each in a process of its own; one that is done is not done again."""

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
    Predictions,
    read_predictions,
    write_model,
    write_predictions,
)
from avloc.datasets import load_dataset
from avloc.devices import choose_device, count_cores
from avloc.errors import ArtifactError
from avloc.evaluation import evaluate
from avloc.interrupts import deaf_to_interrupts
from avloc.progress import Progress, silent
from avloc.tables.plan import PlannedRun
from avloc.training import TrainingConfig, TrainingData, load_splits
from avloc.training.fit import fit


@dataclass(frozen=True)
class RunFailure:
    """A run that did not come to its end, and why."""

    run: PlannedRun
    reason: str


@dataclass(frozen=True)
class Place:
    """Where runs find their inputs and leave their results."""

    store: Path
    dataset: Path
    folder: Path
    device: str


def run_all(
    runs: Sequence[PlannedRun],
    place: Place,
    *,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> list[RunFailure]:
    """Do the runs that are not done yet, and return those that failed.

    Args:
        runs: what to do; a result that is there under the same key is kept.
        place: inputs and results.
        jobs: processes side by side, the cores shared among them; one a core by default, one
            in all on a GPU.
        progress: called with (runs done, runs, what).
    """
    todo = [run for run in runs if finished(run, place.folder) is None]
    told, n_done = progress or silent, len(runs) - len(todo)
    told(n_done, len(runs), "")
    failures = []
    n_jobs = min(jobs or _n_jobs(place.device), max(1, len(todo)))
    with _pool(n_jobs) as pool:
        with deaf_to_interrupts():
            begun: dict[Future[None], PlannedRun] = {
                pool.schedule(run_one, args=(run, place)): run for run in todo
            }
        for future in as_completed(begun):
            run, error = begun[future], future.exception()
            if error is not None:
                failures.append(RunFailure(run, str(error) or type(error).__name__))
            n_done += 1
            told(n_done, len(runs), f"{run.row.name}, seed {run.seed}")
    return failures


def finished(run: PlannedRun, folder: Path) -> Predictions | None:
    """Return a run's predictions, None where they are not there or not whole."""
    try:
        return read_predictions(run.predictions_path(folder))
    except ArtifactError:
        return None


def run_one(run: PlannedRun, place: Place) -> None:
    """Train and evaluate one row; leaves a model and then its predictions on test.

    Raises:
        AvlocError: whatever training or evaluation refuses.
    """
    store, dataset = FeatureStore.open(place.store), load_dataset(place.dataset)
    model = fit(
        store,
        dataset,
        model=run.row.model,
        options=run.options,
        config=run.training,
        device=place.device,
        data=_data(place, run.training),
    )
    predictions, _ = evaluate(model, store, dataset, device=place.device)
    write_model(run.model_path(place.folder), model)
    write_predictions(run.predictions_path(place.folder), predictions)


def _data(place: Place, config: TrainingConfig) -> TrainingData:
    """Return the splits, read once a process: no training seed has a part in them."""
    deciding = replace(
        TrainingConfig(),
        select=config.select,
        window=config.window,
        hold_out=config.hold_out,
        hold_out_seed=config.hold_out_seed,
    )
    return _splits(place.store, place.dataset, deciding)


@lru_cache(maxsize=1)
def _splits(store: Path, dataset: Path, config: TrainingConfig) -> TrainingData:
    return load_splits(FeatureStore.open(store), load_dataset(dataset), config)


def _n_jobs(device: str) -> int:
    return 1 if choose_device(device).type == "cuda" else count_cores()


@contextmanager
def _pool(n_jobs: int) -> Iterator[ProcessPool]:
    """Yield a pool of processes; whatever ends the block early ends them at once."""
    n_threads = max(1, count_cores() // n_jobs)
    pool = ProcessPool(
        n_jobs, initializer=_limit_threads, initargs=(n_threads,), context=get_context("spawn")
    )
    try:
        yield pool
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join()


def _limit_threads(n_threads: int) -> None:
    torch.set_num_threads(n_threads)
    threadpool_limits(n_threads)
