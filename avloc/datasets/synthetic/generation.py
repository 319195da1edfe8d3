"""From plans to files: worker processes write the clips, then the truth goes beside them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from avloc.artifacts import atomic_path
from avloc.datasets.ave import load_ave
from avloc.datasets.boxes import Box
from avloc.datasets.dataset import SPLITS, Dataset
from avloc.datasets.manifest import MANIFEST, load_manifest
from avloc.datasets.synthetic.clip_plan import ClipPlan
from avloc.datasets.synthetic.composition import compose
from avloc.datasets.synthetic.material import DRAWN, Material, MediaMaterial
from avloc.datasets.synthetic.rendering import event_boxes, frames, soundtrack
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig
from avloc.datasets.synthetic.truth import clip_path, prepare_folder, write_truth
from avloc.errors import AvlocError, UsageError
from avloc.media import write_clip
from avloc.progress import Progress

_Clip = tuple[str, list[tuple[Box, ...]]]
"""A video id, and the boxes of its sources in each second."""


def synthesize(
    folder: Path | str,
    config: SynthesisConfig | None = None,
    *,
    pictures: Path | str | None = None,
    sounds: Path | str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make a data set of raw clips with known truth, and read it back.

    It has AVE's layout, or a manifest where a clip may have several events.

    Existing clips are kept, so an interrupted run can be continued. The same configuration
    makes the same bytes with any number of workers: one a core if None, this process if 0.
    ``pictures`` and ``sounds`` are folders of photographs and recordings to use instead of
    formulas, one sub-folder a class; the classes are those of both, whatever ``n_classes`` says.
    """
    folder = Path(folder)
    config, material = _with_material(config or SynthesisConfig(), pictures, sounds)
    sizes = zip(SPLITS, (config.n_train, config.n_val, config.n_test), strict=True)
    plans = [compose(config, split, number) for split, n in sizes for number in range(n)]
    if not plans:
        raise UsageError("a data set needs a clip", "Ask for at least one, in any split.")
    prepare_folder(folder, config)
    if workers is None:
        from avloc.devices import count_cores  # imports torch, which a worker does not need

        workers = count_cores()
    boxes: dict[str, list[tuple[Box, ...]]] = {}
    for video_id, clip_boxes in _make_clips(folder, config, material, plans, workers):
        boxes[video_id] = clip_boxes
        if progress is not None:
            progress(len(boxes), len(plans), video_id)
    write_truth(folder, config, material, plans, boxes)
    if config.is_independent:
        return load_manifest(folder / MANIFEST)
    return load_ave(folder, n_segments=config.seconds)


def _with_material(
    config: SynthesisConfig, pictures: Path | str | None, sounds: Path | str | None
) -> tuple[SynthesisConfig, Material]:
    """Choose the material, and write its classes and digest into the configuration."""
    if (pictures is None) != (sounds is None):
        raise UsageError(
            "photographs and recordings go together", "Name a folder of each, or neither."
        )
    material: Material = DRAWN
    if pictures is not None and sounds is not None:
        material = MediaMaterial.of_folders(Path(pictures), Path(sounds))
        n_classes = len(material.labels)
        config = replace(config, media=config.media or material.media, n_classes=n_classes)
    if config.media != material.media:
        raise UsageError(
            "the configuration is for other photographs and recordings",
            "Leave its media empty, and name the folders.",
        )
    return config, material


def _make_clip(folder: Path, config: SynthesisConfig, material: Material, plan: ClipPlan) -> _Clip:
    target = clip_path(folder, config, plan.video_id)
    if not target.is_file():
        with atomic_path(target) as temporary:
            sound, pictures = soundtrack(plan, config, material), frames(plan, config, material)
            write_clip(temporary, pictures, config.fps, sound, config.sound_rate)
    return plan.video_id, event_boxes(plan, config, material)


def _make_clips(
    folder: Path, config: SynthesisConfig, material: Material, plans: list[ClipPlan], n_workers: int
) -> Iterator[_Clip]:
    make = partial(_make_clip, folder, config, material)
    if n_workers == 0:
        yield from map(make, plans)
        return
    pool = ProcessPoolExecutor(min(n_workers, len(plans)), mp_context=get_context("spawn"))
    try:
        for future in as_completed([pool.submit(make, plan) for plan in plans]):
            yield future.result()
    except BrokenProcessPool as error:
        raise AvlocError(
            f"a worker process died while making clips in {folder}",
            "Run it again: finished clips stay. A script of your own must call it "
            "under `if __name__ == '__main__':`, or with workers=0.",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
