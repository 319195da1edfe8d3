"""A table of models over seeds as one HDF5 file (schema ``avloc.comparison/2``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import Arrays
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.new_artifact import create
from avloc.artifacts.schema import Array, header_fields, types_of

_Shares = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """Our results beside the paper's; shares are from 0 to 1, and NaN where there is none."""

    table: str
    supervision: str  # ``full``, ``weak, proportion`` or ``weak, presence``
    titles: tuple[str, ...]  # R rows
    seeds: Annotated[NDArray[np.int64], Array("S")]
    # 95 % interval of the mean accuracy, by bootstrap over videos.
    interval: Annotated[_Shares, Array("R 2", may_be_nan=True)]
    paper: Annotated[_Shares, Array("R", may_be_nan=True)]  # the paper's accuracy
    metrics: Annotated[Mapping[str, _Shares], Array("R S", may_be_nan=True)]
    baselines: Mapping[str, float]  # the accuracy of trivial baselines
    made: Mapping[str, object]  # data set, features, decoder, how the epoch was chosen
    # The full model's accuracy minus the row's: the mean over seeds, and its paired 95 % interval
    # over videos. None in files from before it was measured.
    full_minus_row: Annotated[_Shares | None, Array("R 3", may_be_nan=True)] = None


def write_comparison(path: Path | str, comparison: Comparison) -> None:
    """Write a comparison atomically."""
    with create(path, "comparison", parse_comparison) as new:
        new.put(vars(comparison), types_of(Comparison))


def read_comparison(path: Path | str) -> Comparison:
    """Read a comparison; ArtifactError if missing, damaged, of another kind or version."""
    return read_artifact(path, "comparison", parse_comparison)


def parse_comparison(arrays: Arrays, header: dict[str, Any]) -> Comparison:
    """Make a comparison of a file's arrays and header; ValueError if they are damaged."""
    types = types_of(Comparison)
    fields = header_fields(header, types)
    arrays.sizes["R"] = len(fields["titles"])
    return Comparison(**fields, **arrays.fields(types))
