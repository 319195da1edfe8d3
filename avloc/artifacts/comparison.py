"""A table of models over seeds as one HDF5 file (schema ``avloc.comparison/1``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import REAL, WHOLE
from avloc.artifacts.hdf5 import create, open_artifact, to_json, write_arrays


@dataclass(frozen=True)
class Comparison:
    """Ours beside the paper's; every share is from 0 to 1, and NaN where there is none.

    Attributes:
        table: the table's name.
        supervision: ``full``, ``weak, proportion`` or ``weak, presence``.
        titles: R rows.
        seeds: (S,).
        metrics: (R, S) a metric, of each row and seed.
        interval: (R, 2) 95 % interval of the mean accuracy, videos drawn again.
        paper: (R,) the paper's accuracy.
        baselines: what trivial answers reach, by name.
        made: how: data set, features, decoder, how the epoch was chosen.
    """

    table: str
    supervision: str
    titles: tuple[str, ...]
    seeds: NDArray[np.int64]
    metrics: Mapping[str, NDArray[np.float64]]
    interval: NDArray[np.float64]
    paper: NDArray[np.float64]
    baselines: Mapping[str, float]
    made: Mapping[str, object]


_PLAIN, _NESTED = ("table", "supervision"), ("baselines", "made")
_ARRAYS = ("seeds", "interval", "paper")


def write_comparison(path: Path | str, comparison: Comparison) -> None:
    """Write a comparison atomically.

    Raises:
        OutputError: the place cannot be written.
    """
    with create(path, "comparison") as file:
        write_arrays(file, {name: getattr(comparison, name) for name in _ARRAYS})
        file.create_dataset("titles", data=comparison.titles, dtype=h5py.string_dtype())
        write_arrays(file.create_group("metrics"), comparison.metrics)
        file.attrs.update({name: getattr(comparison, name) for name in _PLAIN})
        file.attrs.update({name: to_json(dict(getattr(comparison, name))) for name in _NESTED})


def read_comparison(path: Path | str) -> Comparison:
    """Read a comparison.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    with open_artifact(path, "comparison") as (arrays, attributes):
        titles, seeds = arrays.read_texts("titles", "R"), arrays.read("seeds", "S", WHOLE)
        metrics = arrays.group("metrics")
        metrics.sizes.update(R=len(titles), S=len(seeds))
        return Comparison(
            table=attributes.text("table"),
            supervision=attributes.text("supervision"),
            titles=titles,
            seeds=seeds,
            metrics={name: metrics.read(name, "R S", REAL) for name in metrics.names()},
            interval=arrays.read("interval", "R 2", REAL),
            paper=arrays.read("paper", "R", REAL),
            baselines=attributes.numbers("baselines"),
            made=attributes.mapping("made"),
        )
