"""The stage ``import-features``: what others published in AVE's layout in, a store out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import FeatureStore
from avloc.datasets import load_dataset
from avloc.datasets.ave import ANNOTATIONS
from avloc.datasets.published_features import (
    Published,
    find_published,
    open_published,
    published_spec,
    rows_by_video,
)
from avloc.features import FeatureSpec
from avloc.progress import Progress, silent
from avloc.stages.workspace import Workspace


@dataclass(frozen=True)
class FeatureImport:
    """What `import_features` did.

    Attributes:
        store: the features.
        n_rows: rows of the published arrays.
        n_done: videos written now.
        n_skipped: videos that were there already.
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
    """Read published features of AVE's layout into the workspace's store, a file a video.

    A video is skipped if the store has its features of the same source files already. The
    features files are read a few rows at a time, whatever their size. Of a video with several
    rows the first stands for it (`avloc.datasets.published_features` says why).

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
    files = find_published(folder, _path(visual), _path(audio))
    dataset = load_dataset(_path(annotations) or folder / ANNOTATIONS)
    videos = rows_by_video(dataset)
    with open_published(dataset, files) as published:
        report(0, len(videos), "hashing the files")
        spec = published_spec(files)
        root = Workspace.at(artifacts).features
        store = FeatureStore.create(root, spec, str(dataset.root.resolve()))
        n_done, differing = _write_videos(store, published, videos, spec, report)
    absent = tuple(name for name in ("visual", "audio") if getattr(files, name) is None)
    n_skipped = len(videos) - n_done
    return FeatureImport(store, len(dataset.rows), n_done, n_skipped, differing, absent)


def _write_videos(
    store: FeatureStore,
    published: Published,
    videos: Mapping[str, Sequence[int]],
    spec: FeatureSpec,
    report: Progress,
) -> tuple[int, tuple[str, ...]]:
    """Write what is not there yet; return how many, and the ids whose rows differ."""
    n_done = 0
    differing: list[str] = []
    for place, (video_id, rows) in enumerate(videos.items(), start=1):
        is_there = video_id in store
        if not is_there or len(rows) > 1:  # every run says whose rows differ
            features, is_same = published.features(rows, spec)
            differing += [] if is_same else [video_id]
            if not is_there:
                store.write(features)
                n_done += 1
        report(place, len(videos), video_id)
    return n_done, tuple(differing)


def _path(path: Path | str | None) -> Path | None:
    return None if path is None else Path(path)
