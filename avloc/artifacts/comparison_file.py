"""A table of models over seeds as one HDF5 file (schema ``avloc.comparison/2``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import REAL, WHOLE, Arrays
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.header import Header
from avloc.artifacts.new_artifact import create


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


_FIELDS = ("table", "supervision", "titles", "baselines", "made")
_ARRAYS = ("seeds", "interval", "paper")


def write_comparison(path: Path | str, comparison: Comparison) -> None:
    """Write a comparison atomically.

    Raises:
        OutputError: the place cannot be written.
        ArtifactError: no reader would take the file.
    """
    with create(path, "comparison", parse_comparison) as new:
        new.put({name: getattr(comparison, name) for name in _ARRAYS}, may_be_nan=True)
        new.put(comparison.metrics, "metrics", may_be_nan=True)
        new.header |= {name: getattr(comparison, name) for name in _FIELDS}


def read_comparison(path: Path | str) -> Comparison:
    """Read a comparison.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    return read_artifact(path, "comparison", parse_comparison)


def parse_comparison(arrays: Arrays, header: Header) -> Comparison:
    """Make a comparison of a file's arrays and header; ValueError where they are damaged."""
    titles, seeds = header.texts("titles"), arrays.read("seeds", "S", WHOLE)
    metrics = arrays.group("metrics")
    for group in (arrays, metrics):
        group.sizes |= {"R": len(titles), "S": len(seeds)}
    return Comparison(
        table=header.text("table"),
        supervision=header.text("supervision"),
        titles=titles,
        seeds=seeds,
        metrics={n: metrics.read(n, "R S", REAL, may_be_nan=True) for n in metrics.names()},
        interval=arrays.read("interval", "R 2", REAL, may_be_nan=True),
        paper=arrays.read("paper", "R", REAL, may_be_nan=True),
        baselines=header.numbers("baselines"),
        made=header.mapping("made"),
    )
