"""The stage ``extract``: raw videos in, a feature store out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from avloc.artifacts import FeatureStore, resolved
from avloc.artifacts.objects import is_folder
from avloc.artifacts.run_marker import marked
from avloc.datasets import Dataset
from avloc.engine.cluster_options import ClusterOptions, choose_engine
from avloc.engine.shard import named_shard
from avloc.features import ExtractionReport, WeightsPolicy, load_encoders
from avloc.features import extract as extract_features
from avloc.features.cluster_extraction import extract_on_cluster
from avloc.features.sources import check_name
from avloc.features.worker import WorkSettings
from avloc.progress import Progress
from avloc.spec import DEFAULT_AUDIO, DEFAULT_VISUAL, FeatureSpec
from avloc.stages.input_videos import find_videos
from avloc.stages.workspace import Workspace


@dataclass(frozen=True)
class Extraction:
    """What `extract` did.

    Attributes:
        store: the features.
        report: how many videos were done, skipped and failed.
        dataset: the labelled data set that was extracted, None for plain videos.
    """

    store: FeatureStore
    report: ExtractionReport
    dataset: Dataset | None


def extract(
    paths: Sequence[str | Path] | str | Path,
    *,
    visual: str = DEFAULT_VISUAL,
    audio: str = DEFAULT_AUDIO,
    fps: int = FeatureSpec.fps,
    sampling: str = FeatureSpec.sampling,
    segment_seconds: float = FeatureSpec.segment_seconds,
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
    store: Path | str | None = None,
    engine: str = "local",
    cluster: str | None = None,
    cluster_workers: int | None = None,
    cpus: float | None = None,
    gpus: float | None = None,
    progress: Progress | None = None,
    notice: Callable[[str], None] | None = None,
) -> Extraction:
    """Extract features from videos.

    They are written to the feature store, one file per video. A video whose features
    exist already is skipped.

    Args:
        paths: A data set's folder, a manifest, folders of videos, or videos; or their addresses,
            as s3://bucket/clips.
        visual: The visual encoder.
        audio: The audio encoder.
        fps: Frames sampled per second.
        sampling: How frames are chosen: by their time stamps, or by AVE's frame counts.
        segment_seconds: Length of a segment. Shorter segments give finer event times.
        device: Where the networks run.
        precision: The encoders' arithmetic; auto: fp16 on CUDA, else fp32. bf16 is faster on
            processors that have it, and less exact.
        runtime: What runs the encoders; auto: the fastest exact one that is installed.
        workers: Decoding processes. Default: by the number of cores.
        batch_size: Frames per batch. Default: auto.
        overwrite: Which existing results to make again. stale: those made from another video,
            or with another model or other settings.
        shard: Extract part I of N. The other parts may be extracted at the same time, on this
            machine or on others. auto: the part of this task of a Slurm job array.
        weights: A folder with weight files, searched before any download.
        offline: Never use the network, but for addresses that you name.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        store: The feature store, a folder or an address as s3://bucket/features. Default: the
            workspace's features.
        engine: What does the work: this machine, or a Ray cluster.
        cluster: The Ray cluster: HOST:PORT, auto for the cluster that this machine belongs to,
            or local. Default: ``$RAY_ADDRESS``, or a new one on this machine.
        cluster_workers: Workers on the cluster. Default: as many as it has room for.
        cpus: CPUs per worker on the cluster. Default: 1, or a GPU's share of its machine.
        gpus: GPUs per worker on the cluster, as 0.5. Default: 1 if there are any.
        progress: called with (videos done, videos, what).
        notice: called with a line about another run that writes the same store at an address.

    Raises:
        MediaError: there is no video. DatasetError: the data set's files are wrong.
        UnknownNameError: no such encoder. WeightsError: its weights cannot be had.
        FingerprintError: the store holds other features. OutputError: it cannot be written.
        ClusterError: there is no cluster, or its machines cannot do the work.
    """
    on = choose_engine(engine, device, ClusterOptions(cluster or "", cluster_workers, cpus, gpus))
    shard = named_shard(shard)
    sources = find_videos([paths] if isinstance(paths, str | Path) else paths, shard)
    dataset, root = sources.dataset, Workspace.at(artifacts).store(store)
    is_folder(root)  # an address that cannot be reached is better known before encoders are loaded
    load = partial(
        load_encoders,
        visual,
        audio,
        fps=fps,
        sampling=sampling,
        segment_seconds=segment_seconds,
        device=device,
        precision=precision,
        runtime=runtime,
        weights=WeightsPolicy(weights.absolute() if weights and on else weights, offline),
    )
    spec = FeatureSpec(visual, "", audio, "", fps, sampling, segment_seconds)
    length = dataset.fixed_length(spec.exact_segment_seconds) if dataset else None
    dataset_root = str(resolved(dataset.root)) if dataset else ""
    with marked(root, shard, notice or (lambda _: None)):
        if on is not None and sources.videos:
            settings = WorkSettings(length, workers, batch_size, overwrite)
            check_name("visual", visual)
            check_name("audio", audio)
            made, report = extract_on_cluster(
                sources.videos,
                root,
                load,
                settings,
                cluster=on,
                dataset_root=dataset_root,
                progress=progress,
            )
            return Extraction(made, report, dataset)
        encoders = load()
        made = FeatureStore.create(root, encoders.spec, dataset_root)
        report = extract_features(
            sources.videos,
            made,
            encoders,
            n_segments=length,
            workers=workers,
            batch_size=batch_size,
            overwrite=overwrite,
            progress=progress,
        )
    return Extraction(made, report, dataset)
