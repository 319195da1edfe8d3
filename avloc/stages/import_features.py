"""The stage ``import-features``: what others published in AVE's layout in, a store out.

::

    FOLDER/
      Annotations.txt                        the rows, with or without header line
      visual_feature.h5   audio_feature.h5   row n of the array belongs to line n of Annotations.txt
      train_order.h5  val_order.h5  test_order.h5

The rows of one video give one features file, made from the first of them. The others are
compared with it. Where they differ nothing says which is right, a mean would be features of no
video, and leaving the video out would take rows from the splits. So the first row is used there
too, and the video is reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import FeatureStore, VideoFeatures, resolved, sha256_of
from avloc.artifacts.published_arrays import (
    AUDIO_FILE,
    VISUAL_FILE,
    RowReader,
    open_rows,
)
from avloc.datasets import Dataset, load_dataset
from avloc.datasets.ave import ANNOTATIONS
from avloc.errors import DatasetError
from avloc.progress import Progress, silent
from avloc.spec import PUBLISHED_AUDIO, PUBLISHED_VISUAL, FeatureSpec
from avloc.stages.workspace import Workspace
from avloc.timeline import Grid

_RANKS = {"visual": 5, "audio": 3}  # (R, T, H, W, Dv) and (R, T, Da)
_TYPES = {"visual": np.float16, "audio": np.float32}  # as every store has them
_TOLERANCE = 1e-3  # of the largest value: smaller differences are lost in half precision


@dataclass(frozen=True)
class FeatureImport:
    """What `import_features` did.

    Attributes:
        store: the features.
        n_rows: rows of the published arrays.
        n_done: videos written now.
        n_skipped: videos that were in the store already.
        differing: ids of the videos whose rows have different features.
        absent: the modalities that were not published: ``visual``, ``audio``.
    """

    store: FeatureStore
    n_rows: int
    n_done: int
    n_skipped: int
    differing: tuple[str, ...]
    absent: tuple[str, ...]


def import_features(
    folder: Path | str,
    *,
    visual: Path | str | None = None,
    audio: Path | str | None = None,
    annotations: Path | str | None = None,
    artifacts: Path | str | None = None,
    progress: Progress | None = None,
) -> FeatureImport:
    """Import published features in AVE's layout.

    They are written to the workspace's features, one file per video. A video that exists there,
    from the same source files, is skipped. A video with several rows gets the features of the
    first one.

    Args:
        folder: A folder with Annotations.txt, visual_feature.h5 and audio_feature.h5.
        visual: The visual features. Default: FOLDER/visual_feature.h5.
        audio: The audio features. Default: FOLDER/audio_feature.h5.
        annotations: The annotation of each row; the store's labels and splits are those of this
            file and its folder. Default: FOLDER/Annotations.txt.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        progress: called with (videos done, videos, what).

    Raises:
        DatasetError: a file is missing, damaged, of another shape or number of rows, or has a
        value that is not finite. FingerprintError: the store holds other features.
        OutputError: it cannot be written.
    """
    report = progress or silent
    folder = Path(folder)
    files = _find(folder, visual, audio)
    dataset = load_dataset(annotations or folder / ANNOTATIONS)
    videos = rows_by_video(dataset)
    n_done = 0
    differing: list[str] = []
    with ExitStack() as opened:
        readers = {
            name: opened.enter_context(open_rows(path, _RANKS[name]))
            for name, path in files.items()
        }
        for reader in readers.values():
            _check_fit(dataset, reader)
        report(0, len(videos), "hashing the files")
        spec = _published_spec(files)
        root = Workspace.at(artifacts).features
        store = FeatureStore.create(root, spec, str(resolved(dataset.root)))
        for number, (video_id, rows) in enumerate(videos.items(), start=1):
            is_stored = video_id in store
            if not is_stored or len(rows) > 1:  # every run reports whose rows differ
                features, is_same = _features(dataset, readers, rows, spec)
                differing += [] if is_same else [video_id]
                if not is_stored:
                    store.write(features)
                    n_done += 1
            report(number, len(videos), video_id)
    absent = tuple(name for name in _RANKS if name not in files)
    n_skipped = len(videos) - n_done
    return FeatureImport(store, len(dataset.rows), n_done, n_skipped, tuple(differing), absent)


def rows_by_video(dataset: Dataset) -> dict[str, list[int]]:
    """Return each video's row numbers, the videos in order of their first row."""
    rows: dict[str, list[int]] = {}
    for number, row in enumerate(dataset.rows):
        rows.setdefault(row.video_id, []).append(number)
    return rows


def _find(folder: Path, visual: Path | str | None, audio: Path | str | None) -> dict[str, Path]:
    """Return the arrays' paths by modality."""
    files = {}
    for name, given, usual in (("visual", visual, VISUAL_FILE), ("audio", audio, AUDIO_FILE)):
        if given or (folder / usual).is_file():
            files[name] = Path(given or folder / usual)
    if not files:
        raise DatasetError(
            f"there is neither {VISUAL_FILE} nor {AUDIO_FILE} in this folder",
            folder,
            hint="Name the files: --visual FILE, --audio FILE.",
        )
    return files


def _published_spec(files: Mapping[str, Path]) -> FeatureSpec:
    """Return a spec of the files' hashes and of names that no encoder has."""
    hashes = {name: sha256_of(path) for name, path in files.items()}
    return FeatureSpec(
        visual=PUBLISHED_VISUAL if "visual" in files else "",
        visual_weights=hashes.get("visual", ""),
        audio=PUBLISHED_AUDIO if "audio" in files else "",
        audio_weights=hashes.get("audio", ""),
        fps=16,
        sampling="ave2018",
        resize="unknown",
        resampler="unknown",
        front_end="unknown",
        rules=1,  # always: the rules of this package, raised or not, do not apply
    )


def _check_fit(dataset: Dataset, reader: RowReader) -> None:
    n_rows, n_segments = reader.n_rows, reader.row_shape[0]
    if n_rows != len(dataset.rows):
        raise DatasetError(
            f"has {n_rows} rows, and the annotations of {dataset.root} have {len(dataset.rows)}",
            reader.path,
            hint="Name the annotation file of just these rows: --annotations FILE.",
        )
    if n_segments != dataset.n_segments:
        problem = f"has {n_segments} segments a row, and a video of {dataset.root} has"
        raise DatasetError(f"{problem} {dataset.n_segments}", reader.path)


def _features(
    dataset: Dataset, readers: Mapping[str, RowReader], rows: Sequence[int], spec: FeatureSpec
) -> tuple[VideoFeatures, bool]:
    """Make one video's features from its rows, and tell whether the rows agree."""
    video_id = dataset.rows[rows[0]].video_id
    arrays: dict[str, NDArray[Any]] = {}
    is_same = True
    for name, reader in readers.items():
        first, *others = (_row(reader, row, _TYPES[name], video_id) for row in rows)
        noise = _TOLERANCE * float(np.abs(first).max())
        differences = (np.abs(other.astype(np.float64) - first).max() for other in others)
        is_same = all(difference <= noise for difference in differences) and is_same
        arrays[name] = first
    times = Grid(dataset.n_segments or 1, spec.exact_segment_seconds).segment_times()
    source = next(iter(readers.values())).path.resolve()
    features = VideoFeatures(
        video_id=video_id,
        segment_times=times,
        visual=arrays.get("visual"),
        audio=arrays.get("audio"),
        frame_index=None,
        visual_valid=np.full(len(times), "visual" in arrays),
        audio_valid=np.full(len(times), "audio" in arrays),
        duration=float(times[-1, 1]),
        fps_sampled=float(spec.fps),
        segment_seconds=spec.segment_seconds,
        spec=spec,
        flags=("no_video",) * ("visual" not in arrays) + ("no_audio",) * ("audio" not in arrays),
        source=f"{source}, row {rows[0]}",
    )
    return features, is_same


def _row(reader: RowReader, row: int, dtype: Any, video_id: str) -> NDArray[Any]:
    """Return a row in the store's type."""
    values = reader.read(row)
    with np.errstate(over="ignore"):
        stored: NDArray[Any] = values.astype(dtype)
    if np.isfinite(stored).all():
        return stored
    limit = f"beyond {np.finfo(dtype).max:g}, the most a store holds"
    what = limit if np.isfinite(values).all() else "not finite"
    raise DatasetError(
        f"row {row} (from 0; video {video_id}) has a value that is {what}",
        reader.path,
        hint="That row cannot be used: get the file again.",
    )
