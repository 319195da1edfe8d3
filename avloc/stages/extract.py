"""The stage ``extract``: raw videos in, a feature store out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import FeatureStore
from avloc.datasets import Coverage, LabelCounts, count_labels, load_dataset
from avloc.errors import MediaError
from avloc.features import ExtractionReport, Shard, WeightsPolicy, load_encoders
from avloc.features import extract as extract_features
from avloc.progress import Progress
from avloc.stages.workspace import Workspace


@dataclass(frozen=True)
class Extraction:
    """What `extract` did.

    Attributes:
        store: the features.
        report: how many videos were done, skipped and failed.
        coverage: videos present and missing, if a data set was given; None otherwise.
        ignored_fields: fields of its manifest that say nothing here.
    """

    store: FeatureStore
    report: ExtractionReport
    coverage: Coverage | None
    ignored_fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sources:
    """The videos behind some paths.

    Attributes:
        videos: (video id, file) pairs, those of the shard.
        dataset_root: the data set's place if exactly one labelled data set was named, else "".
        n_segments: the grid that the data set fixes, None if it fixes none.
        coverage: of the data set, None without one.
        labels: its events by label and split, None without one.
        ignored_fields: of its manifest.
    """

    videos: list[tuple[str, Path]]
    dataset_root: str = ""
    n_segments: int | None = None
    coverage: Coverage | None = None
    labels: LabelCounts | None = None
    ignored_fields: tuple[str, ...] = ()


def find_sources(paths: Sequence[Path | str], shard: str = "1/1") -> Sources:
    """Find the videos behind data set roots, manifests, folders and files.

    Args:
        paths: where to look.
        shard: ``i/n`` keeps the i-th of n parts.

    Raises:
        UsageError: there is no such shard.
        MediaError: there is no video, or two videos share a name.
        DatasetError: a data set's own files are wrong.
    """
    part = Shard.parse(shard)
    datasets = [load_dataset(Path(path)) for path in paths]
    videos: dict[str, Path] = {}
    for dataset in datasets:
        for video_id, path in dataset.videos.items():
            if videos.setdefault(video_id, path) != path:
                raise MediaError(
                    f"{videos[video_id]} and {path} would both be the video {video_id!r}",
                    "Extract them into different stores, or rename one.",
                )
    if not paths:
        raise MediaError("no video was named", "Name a folder, a video or a manifest.")
    if not videos:
        raise MediaError(
            f"no video found in {', '.join(map(str, paths))}", "Check the path and the suffixes."
        )
    own = [(video_id, path) for video_id, path in videos.items() if part.has(video_id)]
    if len(datasets) == 1 and datasets[0].rows:
        only = datasets[0]
        return Sources(
            own,
            str(only.root.resolve()),
            only.n_segments,
            only.coverage,
            count_labels(only),
            only.ignored_fields,
        )
    return Sources(own)


def extract(
    paths: Sequence[Path | str] | Path | str,
    *,
    artifacts: Path | str | None = None,
    visual: str = "resnet152",
    audio: str = "vggish",
    fps: int = 16,
    sampling: str = "pts",
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    weights: Path | None = None,
    offline: bool = False,
    workers: int | None = None,
    batch_size: int | None = None,
    overwrite: str = "stale",
    shard: str = "1/1",
    progress: Progress | None = None,
) -> Extraction:
    """Extract features of every video behind ``paths`` into the workspace's store.

    Args:
        paths: a data set's root, a manifest, folders of videos, or videos.
        artifacts: the workspace; ``$AVLOC_ARTIFACTS`` or ``./artifacts`` by default.
        visual: the visual encoder (`avloc.features.list_visual_encoders`).
        audio: the audio encoder (`avloc.features.list_audio_encoders`).
        fps: frames sampled a second.
        sampling: ``pts``, or ``ave2018`` for AVE's own rule of frame counts.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        precision: ``auto``, ``fp32``, ``fp16``.
        runtime: ``auto`` (the fastest exact one installed), ``eager``, ``compile``, ``onnx``.
        weights: a folder that is searched for weight files first.
        offline: never open a socket.
        workers: decoding processes; one a core by default.
        batch_size: frames the device takes at once.
        overwrite: ``stale`` (whatever is missing or of another fingerprint), ``always``, ``never``.
        shard: ``i/n``: only the i-th of n parts of the videos; runs of the other parts, on this
            machine or others, may fill the same workspace at the same time.
        progress: called with (videos done, videos, what).

    Returns:
        The store, how many videos were done, skipped and failed, and the data set's coverage.

    Raises:
        MediaError: there is no video. DatasetError: the data set's files are wrong.
        UnknownNameError: no such encoder. WeightsError: its weights cannot be had.
        FingerprintError: the store holds other features. OutputError: it cannot be written.
    """
    sources = find_sources([paths] if isinstance(paths, str | Path) else paths, shard)
    policy = WeightsPolicy(folder=weights, offline=offline)
    encoders = load_encoders(
        visual,
        audio,
        fps=fps,
        sampling=sampling,
        device=device,
        precision=precision,
        runtime=runtime,
        weights=policy,
    )
    place = Workspace.at(artifacts).features
    store = FeatureStore.create(place, encoders.spec, sources.dataset_root)
    report = extract_features(
        sources.videos,
        store,
        encoders,
        n_segments=sources.n_segments,
        workers=workers,
        batch_size=batch_size,
        overwrite=overwrite,
        progress=progress,
    )
    return Extraction(store, report, sources.coverage, sources.ignored_fields)
