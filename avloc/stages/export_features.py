"""The stage ``export-features``: a store in, AVE's published layout out, for others to train on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from avloc.artifacts import FeatureStore, write_text
from avloc.artifacts.published_arrays import create_rows, write_order
from avloc.datasets import SPLITS, Dataset
from avloc.datasets.ave import ANNOTATIONS, order_file
from avloc.datasets.publication import Survey, annotation_lines, one_hot, orders, survey
from avloc.datasets.published_features import AUDIO_FILE, VISUAL_FILE, rows_by_video
from avloc.errors import DatasetError, OutputError
from avloc.progress import Progress, silent
from avloc.stages.train import labelled_store
from avloc.stages.workspace import Workspace

LABELS_FILE = "labels.h5"


@dataclass(frozen=True)
class FeatureExport:
    """What `export_features` did.

    Attributes:
        written: the files, in the order in which they were finished.
        n_rows: rows written.
        split_sizes: how many of them are in each split.
        left_out: why a video's rows were left out, by video id.
        n_filled: rows written that have segments without real picture or sound.
    """

    written: tuple[Path, ...]
    n_rows: int
    split_sizes: dict[str, int]
    left_out: dict[str, str]
    n_filled: int


def export_features(
    folder: Path | str,
    *,
    only_present: bool = False,
    dataset: Path | str | None = None,
    artifacts: Path | str | None = None,
    progress: Progress | None = None,
) -> FeatureExport:
    """Write the workspace's features in AVE's published layout, for other people's code.

    ``visual_feature.h5`` (R, T, H, W, Dv) and ``audio_feature.h5`` (R, T, Da) in float64,
    ``labels.h5`` (R, T, C) in float32, ``*_order.h5``, and last ``Annotations.txt``, whose
    lines are the R rows. Features were kept in half precision (picture) and single (sound);
    no more than that is in the float64.

    Args:
        folder: The folder to write; none of these files may exist in it yet.
        only_present: Leave out rows without features, picture or sound, and renumber the others.
            Without it such rows are refused.
        dataset: The labels: a data set's folder, or a manifest. Default: the extracted data set.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        progress: called with (videos read and rows written, of both, what).

    Raises:
        ArtifactError: there is no store. DatasetError: a row cannot be written, or none can.
        UsageError: the data set has no fixed grid. OutputError: the place cannot be written, or
        has such files.
    """
    report = progress or silent
    store, labelled = labelled_store(Workspace.at(artifacts).features, dataset)
    target = Path(folder)
    _refuse_overwriting(target)
    n_steps = len(rows_by_video(labelled)) + len(labelled.rows)
    found = survey(store, labelled, lambda done, _, what: report(done, n_steps, what))
    _check_gaps(found, store, labelled, only_present)
    _write_arrays(target, store, labelled, found, report)
    split_rows = orders(labelled, found.rows)
    for name, numbers in split_rows.items():
        write_order(target / order_file(name), numbers)
    write_text(target / ANNOTATIONS, annotation_lines(labelled, found.rows))
    return FeatureExport(
        tuple(target / name for name in _names()),
        len(found.rows),
        {name: len(numbers) for name, numbers in split_rows.items()},
        found.reasons,
        found.n_filled,
    )


def _write_arrays(
    target: Path, store: FeatureStore, dataset: Dataset, found: Survey, report: Progress
) -> None:
    """Write the three arrays side by side, a row of each at a time."""
    n_rows, n_videos = len(found.rows), len(rows_by_video(dataset))
    label_shape = (n_rows, found.audio_shape[0], dataset.labels.n_classes)
    made_by = _provenance(store)
    with ExitStack() as files:
        # The visual file is opened last: of an error that names no file, such as a full disk,
        # the innermost block takes the blame, and nearly all bytes are the visual's.
        labels = files.enter_context(
            create_rows(
                target / LABELS_FILE,
                label_shape,
                np.float32,
                {"labels": json.dumps(dataset.labels.all_names)},
            )
        )
        audio = files.enter_context(
            create_rows(target / AUDIO_FILE, (n_rows, *found.audio_shape), attributes=made_by)
        )
        visual = files.enter_context(
            create_rows(target / VISUAL_FILE, (n_rows, *found.visual_shape), attributes=made_by)
        )
        for done, number in enumerate(found.rows, start=1):
            features = store.read(dataset.rows[number].video_id)
            assert features.visual is not None  # the survey has seen it
            assert features.audio is not None
            visual.append(features.visual)
            audio.append(features.audio)
            labels.append(one_hot(dataset, number, features))
            report(n_videos + done, n_videos + n_rows, features.video_id)


def _provenance(store: FeatureStore) -> Mapping[str, str]:
    return {
        "avloc_version": version("avloc"),
        "fingerprint": store.fingerprint,
        "spec": json.dumps(asdict(store.spec), sort_keys=True),
    }


def _check_gaps(found: Survey, store: FeatureStore, dataset: Dataset, only_present: bool) -> None:
    """Refuse rows that cannot be written, unless they may be left out and others remain."""
    if found.rows and (only_present or not found.reasons):
        return
    n_gaps = len(dataset.rows) - len(found.rows)
    first = "; ".join(f"{name}: {reason}" for name, reason in list(found.reasons.items())[:3])
    raise DatasetError(
        f"{n_gaps} of {len(dataset.rows)} rows have no features to write in {store.root} ({first}"
        f"{'; ...' if len(found.reasons) > 3 else ''})",
        dataset.root,
        hint="Extract them first, or leave such rows out with --only-present."
        if found.rows
        else "Extract them first: avloc extract.",
    )


def _refuse_overwriting(target: Path) -> None:
    there = [name for name in _names() if (target / name).exists()]
    if there:
        raise OutputError(
            f"{target} holds {there[0]} already, which may be the only copy of somebody's",
            "Name another folder, or remove the files first.",
        )


def _names() -> tuple[str, ...]:
    return (
        VISUAL_FILE,
        AUDIO_FILE,
        LABELS_FILE,
        *(order_file(name) for name in SPLITS),
        ANNOTATIONS,
    )
