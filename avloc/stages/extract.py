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
    paths: Sequence[str | Path] | str | Path,
    *,
    visual: str = "resnet152",
    audio: str = "vggish",
    fps: int = 16,
    sampling: str = "pts",
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    workers: int | None = None,
    batch_size: int | None = None,
    overwrite: str = "stale",
    shard: str = "1/1",
    weights: Path | None = None,
    offline: bool = False,
    artifacts: Path | str | None = None,
    progress: Progress | None = None,
) -> Extraction:
    """Extract features of videos into the workspace's feature store.

    Args:
        paths: A data set's folder, a manifest, folders of videos, or videos.
        visual: The visual encoder.
        audio: The audio encoder.
        fps: Frames sampled per second.
        sampling: How frames are chosen: by their time stamps, or by AVE's frame counts.
        device: Where the networks run.
        precision: The encoders' arithmetic; auto: fp16 on CUDA.
        runtime: What runs the encoders; auto: the fastest exact one that is installed.
        workers: Decoding processes. Default: by the number of cores.
        batch_size: Frames per batch. Default: auto.
        overwrite: Which existing results to make again. stale: those made from another video,
            or with another model or other settings.
        shard: Extract part I of N. The other parts may be extracted at the same time, on this
            machine or on others.
        weights: A folder with weight files, searched before any download.
        offline: Never use the network.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        progress: called with (videos done, videos, what).

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
