"""The stage ``export-features``: a store in, AVE's published layout out, for others to train on.

A video is reported if it cannot be written: without features, without picture or sound, or of
another length. Its rows are never filled with zeros.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import FeatureStore, VideoFeatures, write_text
from avloc.artifacts.published_arrays import AUDIO_FILE, VISUAL_FILE, create_rows, write_order
from avloc.datasets import SPLITS, Dataset
from avloc.datasets.ave import ANNOTATIONS, order_file
from avloc.errors import ArtifactError, DatasetError, OutputError, UsageError
from avloc.progress import Progress, silent
from avloc.stages.import_features import rows_by_video
from avloc.stages.train import labelled_store
from avloc.stages.workspace import Workspace
from avloc.timeline import Grid

_LABELS_FILE = "labels.h5"
_ORDER_FILES = {split: order_file(split) for split in SPLITS}
_FILES = (VISUAL_FILE, AUDIO_FILE, _LABELS_FILE, *_ORDER_FILES.values(), ANNOTATIONS)


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
    """Write the features in AVE's published layout.

    The files are visual_feature.h5 (R, T, H, W, Dv) and audio_feature.h5 (R, T, Da) in float64,
    labels.h5 (R, T, C) in float32, *_order.h5, and last Annotations.txt, whose lines are the R
    rows. The float64 hold half precision (picture) and single precision (sound).

    Args:
        folder: The folder to write; none of these files may exist in it yet.
        only_present: Leave out rows without features, picture or sound, and renumber the others.
            Without it such rows are refused.
        dataset: The labels: a data set's folder, a manifest, or labels that you corrected (.csv,
            .eaf, .json). Default: the extracted data set.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        progress: called with (videos read and rows written, of both, what).

    Raises:
        ArtifactError: there is no store. DatasetError: a row cannot be written, or none can.
        UsageError: the data set has no fixed grid. OutputError: the folder cannot be written,
        or has such files.
    """
    store, labelled = labelled_store(Workspace.at(artifacts).features, dataset)
    target = Path(folder)
    for name in _FILES:
        if (target / name).exists():
            raise OutputError(
                f"{target} holds {name} already, which may be the only copy",
                "Name another folder, or remove the files first.",
            )
    survey = _survey(store, labelled, progress or silent)
    _check_gaps(survey, store, labelled, only_present)
    _write_arrays(target, store, labelled, survey, progress or silent)
    rows = [labelled.rows[number] for number in survey.rows]
    split_sizes = {}
    for split, name in _ORDER_FILES.items():
        numbers = [number for number, row in enumerate(rows) if row.split == split]
        write_order(target / name, numbers)
        split_sizes[split] = len(numbers)
    lines = (
        f"{row.label}&{row.video_id}&{row.quality}&{_plain(row.start)}&{_plain(row.end)}\n"
        for row in rows
    )
    write_text(target / ANNOTATIONS, "".join(lines))
    written = tuple(target / name for name in _FILES)
    return FeatureExport(written, len(rows), split_sizes, survey.reasons, survey.n_filled)


@dataclass
class _Survey:
    """What a store has of a data set.

    Attributes:
        rows: the numbers of the rows that can be written, in order.
        reasons: why a video's rows cannot, by video id.
        shapes: (T, H, W, Dv) and (T, Da) of every video that can.
        n_filled: how many of ``rows`` have segments without real picture or sound, as a clip
            that is shorter than the grid has at its end.
    """

    rows: list[int] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    shapes: tuple[tuple[int, ...], ...] = ()
    n_filled: int = 0


def _survey(store: FeatureStore, dataset: Dataset, report: Progress) -> _Survey:
    """Read each video's features once, and note which rows can be written."""
    if dataset.n_segments is None or not dataset.is_row_alone:
        raise UsageError(
            f"{dataset.root} cannot be written in AVE's layout, where every row has one event and"
            " as many segments as any other",
            "The layout is for data sets like AVE: a folder with Annotations.txt.",
        )
    survey, videos = _Survey(), rows_by_video(dataset)
    for done, (video_id, rows) in enumerate(videos.items(), start=1):
        report(done, len(videos) + len(dataset.rows), video_id)
        try:
            features = store.read(video_id)
        except ArtifactError as error:
            is_missing = not store.path_of(video_id).exists()
            survey.reasons[video_id] = "no features" if is_missing else error.message
            continue
        visual, audio = features.visual, features.audio
        if visual is None or audio is None:
            survey.reasons[video_id] = "no picture" if visual is None else "no sound"
        elif len(audio) != dataset.n_segments:
            survey.reasons[video_id] = f"{len(audio)} segments, not {dataset.n_segments}"
        elif (shapes := (visual.shape, audio.shape)) != (survey.shapes or shapes):
            survey.reasons[video_id] = f"shapes {shapes}, unlike {survey.shapes} before"
        else:
            survey.rows += rows
            survey.shapes = shapes
            if not (features.visual_valid.all() and features.audio_valid.all()):
                survey.n_filled += len(rows)
    survey.rows.sort()
    return survey


def _check_gaps(survey: _Survey, store: FeatureStore, dataset: Dataset, only_present: bool) -> None:
    """Refuse rows that cannot be written, unless they may be left out and others remain."""
    if survey.rows and (only_present or not survey.reasons):
        return
    n_rows = len(dataset.rows)
    reasons = [f"{video_id}: {reason}" for video_id, reason in survey.reasons.items()]
    first = "; ".join([*reasons[:3], *(["..."] if len(reasons) > 3 else [])])
    hint = "Extract them first, or leave such rows out with --only-present."
    raise DatasetError(
        f"{n_rows - len(survey.rows)} of {n_rows} rows have no features to write in {store.root}"
        f" ({first})",
        dataset.root,
        hint=hint if survey.rows else "Extract them first: avloc extract.",
    )


def _write_arrays(
    target: Path, store: FeatureStore, dataset: Dataset, survey: _Survey, report: Progress
) -> None:
    """Write the three arrays side by side, a row of each at a time."""
    n_rows, n_videos = len(survey.rows), len(rows_by_video(dataset))
    visual_shape, audio_shape = survey.shapes
    label_shape = (n_rows, audio_shape[0], dataset.labels.n_classes)
    names = {"labels": json.dumps(dataset.labels.all_names)}
    made_by = {
        "avloc_version": version("avloc"),
        "fingerprint": store.fingerprint,
        "spec": json.dumps(store.spec.as_dict(), sort_keys=True),
    }
    with ExitStack() as files:
        # The visual file is opened last: an error that names no file, such as a full disk, is
        # reported by the innermost block, and nearly all bytes are the visual's.
        labels, audio, visual = (
            files.enter_context(create_rows(target / name, shape, dtype, attributes))
            for name, shape, dtype, attributes in (
                (_LABELS_FILE, label_shape, np.float32, names),
                (AUDIO_FILE, (n_rows, *audio_shape), np.float64, made_by),
                (VISUAL_FILE, (n_rows, *visual_shape), np.float64, made_by),
            )
        )
        for done, number in enumerate(survey.rows, start=1):
            features = store.read(dataset.rows[number].video_id)
            assert features.visual is not None  # the survey has checked it
            assert features.audio is not None
            visual.append(features.visual)
            audio.append(features.audio)
            labels.append(_one_hot(dataset, number, features))
            report(n_videos + done, n_videos + n_rows, features.video_id)


def _one_hot(dataset: Dataset, number: int, features: VideoFeatures) -> NDArray[np.float32]:
    """Return (T, C): a row's class in each segment as 1, background last.

    C is that of the whole data set, so that a class keeps its index when rows are left out.
    """
    grid = Grid(features.n_segments, features.spec.exact_segment_seconds)
    classes = dataset.targets(dataset.rows[number], grid).classes
    return np.eye(dataset.labels.n_classes, dtype=np.float32)[classes]


def _plain(seconds: float) -> str:
    """Write a time as AVE's files do, whole seconds without a point."""
    return str(int(seconds)) if seconds.is_integer() else repr(seconds)
