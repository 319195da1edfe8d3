"""Published features in: the rows of AVE's arrays become the features of videos.

::

    FOLDER/
      Annotations.txt                        the rows, with or without header line
      visual_feature.h5   audio_feature.h5   one row of the array a row of Annotations.txt
      train_order.h5  val_order.h5  test_order.h5

Features belong to videos and annotated rows to data sets, so the rows of one video give one
features file, made from the first of them. The others are compared with it. Where they differ
nothing in the file tells which is right; a mean would be no one's features, and leaving the
video out would take rows from the splits. So the first stands for the video there too, and the
caller is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import VideoFeatures
from avloc.artifacts.published_arrays import (
    PUBLISHED_AUDIO,
    PUBLISHED_VISUAL,
    RowReader,
    open_rows,
)
from avloc.datasets.dataset import Dataset
from avloc.errors import DatasetError
from avloc.features import FeatureSpec
from avloc.features.weights import sha256_of
from avloc.timeline import Grid

VISUAL_FILE = "visual_feature.h5"
AUDIO_FILE = "audio_feature.h5"
FPS = 16
TOLERANCE = 1e-3  # of the largest value: what half precision cannot tell apart


@dataclass(frozen=True)
class PublishedFiles:
    """Where the arrays lie; None for a modality that was not published."""

    visual: Path | None
    audio: Path | None


def find_published(
    folder: Path, visual: Path | None = None, audio: Path | None = None
) -> PublishedFiles:
    """Find the arrays of a folder.

    Args:
        folder: searched for ``visual_feature.h5`` and ``audio_feature.h5``.
        visual: the visual array, where it has another name, and
        audio: the audio array.

    Raises:
        DatasetError: there is neither.
    """
    files = PublishedFiles(
        visual or _if_there(folder / VISUAL_FILE), audio or _if_there(folder / AUDIO_FILE)
    )
    if files.visual is None and files.audio is None:
        raise DatasetError(
            f"there is neither {VISUAL_FILE} nor {AUDIO_FILE} in this folder",
            folder,
            hint="Name the files: --visual FILE, --audio FILE.",
        )
    return files


def published_spec(files: PublishedFiles) -> FeatureSpec:
    """Return the spec of features that others made: named so, and known by their files' hash.

    No encoder has these names, so nothing extracted here can have their fingerprint, nor
    features of another file.
    """
    return FeatureSpec(
        visual=PUBLISHED_VISUAL if files.visual else "",
        visual_weights=sha256_of(files.visual) if files.visual else "",
        audio=PUBLISHED_AUDIO if files.audio else "",
        audio_weights=sha256_of(files.audio) if files.audio else "",
        fps=FPS,
        sampling="ave2018",
        resize="unknown",
        resampler="unknown",
        front_end="unknown",
        rules=1,  # for good: the rules of this package, raised or not, had no part in them
    )


def rows_by_video(dataset: Dataset) -> dict[str, list[int]]:
    """Return each video's row numbers, the videos in order of their first row."""
    rows: dict[str, list[int]] = {}
    for number, row in enumerate(dataset.rows):
        rows.setdefault(row.video_id, []).append(number)
    return rows


@dataclass(frozen=True)
class Published:
    """Published features, open: a few rows in memory at a time.

    Attributes:
        dataset: whose rows they are.
        visual: (R, T, H, W, Dv); None if absent.
        audio: (R, T, Da); None if absent.
    """

    dataset: Dataset
    visual: RowReader | None
    audio: RowReader | None

    def features(self, rows: Sequence[int], spec: FeatureSpec) -> tuple[VideoFeatures, bool]:
        """Make one video's features from its rows, and tell whether the rows agree.

        Visual maps become float16 and audio vectors float32, as every store has them. A
        modality that is absent is None, with its flag.

        Raises:
            DatasetError: the file is damaged, or a value is not finite or too large to store.
        """
        visual, is_same_picture = self._read(self.visual, rows, np.float16)
        audio, is_same_sound = self._read(self.audio, rows, np.float32)
        grid = Grid(self.dataset.n_segments or 1, spec.exact_segment_seconds)
        times = grid.segment_times()
        source = next(reader.path for reader in (self.visual, self.audio) if reader)
        features = VideoFeatures(
            video_id=self.dataset.rows[rows[0]].video_id,
            segment_times=times,
            visual=visual,
            audio=audio,
            frame_index=None,
            visual_valid=np.full(len(times), visual is not None),
            audio_valid=np.full(len(times), audio is not None),
            duration=float(times[-1, 1]),
            fps_sampled=float(spec.fps),
            segment_seconds=spec.segment_seconds,
            spec=spec,
            flags=("no_video",) * (visual is None) + ("no_audio",) * (audio is None),
            source=f"{source.resolve()}, row {rows[0]}",
        )
        return features, is_same_picture and is_same_sound

    def _read(
        self, reader: RowReader | None, rows: Sequence[int], dtype: Any
    ) -> tuple[NDArray[Any] | None, bool]:
        """Return the first row in the store's type, and whether the others are equal to it."""
        if reader is None:
            return None, True
        first, *others = (self._stored(reader, row, dtype) for row in rows)
        noise = TOLERANCE * float(np.abs(first).max())
        differences = [np.abs(other.astype(np.float64) - first).max() for other in others]
        return first, all(difference <= noise for difference in differences)

    def _stored(self, reader: RowReader, row: int, dtype: Any) -> NDArray[Any]:
        values = reader.read(row)
        with np.errstate(over="ignore"):
            stored = values.astype(dtype)
        if np.isfinite(stored).all():
            return stored
        limit = f"beyond {np.finfo(dtype).max:g}, the most a store holds"
        what = limit if np.isfinite(values).all() else "not finite"
        video_id = self.dataset.rows[row].video_id
        raise DatasetError(
            f"row {row} (from 0; video {video_id}) has a value that is {what}",
            reader.path,
            hint="Nothing sound can be made of that row: get the file again.",
        )


@contextmanager
def open_published(dataset: Dataset, files: PublishedFiles) -> Iterator[Published]:
    """Yield the published features of a data set's rows.

    Raises:
        DatasetError: a file is no such array, or not of this data set's rows and segments.
    """
    with ExitStack() as opened:
        readers = [
            opened.enter_context(open_rows(path, rank)) if path else None
            for path, rank in ((files.visual, 5), (files.audio, 3))
        ]
        for reader in readers:
            if reader is not None:
                _check_fit(dataset, reader)
        yield Published(dataset, *readers)


def _check_fit(dataset: Dataset, reader: RowReader) -> None:
    if reader.n_rows != len(dataset.rows):
        raise DatasetError(
            f"has {reader.n_rows} rows, and the annotations of {dataset.root} have "
            f"{len(dataset.rows)}",
            reader.path,
            hint="Name the annotation file of just these rows: --annotations FILE.",
        )
    if reader.row_shape[0] != dataset.n_segments:
        raise DatasetError(
            f"has {reader.row_shape[0]} segments a row, and a video of {dataset.root} has "
            f"{dataset.n_segments}",
            reader.path,
        )


def _if_there(path: Path) -> Path | None:
    return path if path.is_file() else None
