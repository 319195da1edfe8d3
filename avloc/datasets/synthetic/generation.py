"""From plans to files: worker processes make the clips, then the truth goes beside them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

from avloc.artifacts import atomic_path
from avloc.datasets.ave import VIDEO_FOLDER, load_ave
from avloc.datasets.dataset import SPLITS, Dataset
from avloc.datasets.synthetic.cast import DRAWN, Cast
from avloc.datasets.synthetic.composition import ClipPlan, compose
from avloc.datasets.synthetic.drawing import frames, source_boxes
from avloc.datasets.synthetic.media_cast import cast_from
from avloc.datasets.synthetic.soundtrack import soundtrack
from avloc.datasets.synthetic.synthesis_config import SynthesisConfig
from avloc.datasets.synthetic.truth import ClipTruth, claim, write_truth
from avloc.errors import AvlocError, UsageError
from avloc.media import write_clip
from avloc.progress import Progress, silent


def synthesize(
    folder: Path | str,
    config: SynthesisConfig | None = None,
    *,
    pictures: Path | str | None = None,
    sounds: Path | str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make a data set of raw clips with known truth, in AVE's layout.

    Clips that are already there are kept, so an interrupted run goes on where it was. The
    same configuration makes the same bytes, whatever the number of workers.

    Args:
        folder: where it goes.
        config: what to make; the defaults when None.
        pictures: a folder of photographs, a sub-folder a class, to be seen instead of drawn
            looks, and
        sounds: a folder of recordings, the same, to be heard: both or neither. The classes
            are the sub-folders that both have, whatever ``n_classes`` says; no two splits
            share a file.
        workers: processes; one a core when None, none beside this one when 0.
        progress: called with (clips done, clips, video id).

    Returns:
        The data set, read back from the folder.

    Raises:
        UsageError: no clip is asked for, or one of ``pictures`` and ``sounds`` only.
        DatasetError: the photographs and recordings do not make a data set.
        OutputError: the folder cannot be written, or holds another data set.
    """
    folder, told = Path(folder), progress or silent
    config, cast = _with_cast(config or SynthesisConfig(), pictures, sounds)
    plans = [compose(config, split, k) for split in SPLITS for k in range(config.size_of(split))]
    if not plans:
        raise UsageError("a data set needs a clip", "Ask for at least one, in any split.")
    claim(folder, config)
    n_workers = _n_cores() if workers is None else workers
    truths: dict[str, ClipTruth] = {}
    made = _made_here if n_workers == 0 else _made_by_workers
    for truth in made(folder, config, cast, plans, n_workers):
        truths[truth.plan.video_id] = truth
        told(len(truths), len(plans), truth.plan.video_id)
    write_truth(folder, config, cast, [truths[plan.video_id] for plan in plans])
    return load_ave(folder, n_segments=config.seconds)


def _n_cores() -> int:
    from avloc.devices import count_cores  # imports torch, which a worker does not need

    return count_cores()


def make_clip(folder: Path, config: SynthesisConfig, cast: Cast, plan: ClipPlan) -> ClipTruth:
    """Write one clip, unless it is there, and return what is true of it.

    Raises:
        OutputError: it cannot be written.
        DatasetError: a photograph or a recording in it cannot be read.
    """
    target = folder / VIDEO_FOLDER / f"{plan.video_id}.mp4"
    if not target.is_file():
        with atomic_path(target) as temporary:
            sound = soundtrack(plan, config, cast)
            write_clip(temporary, frames(plan, config, cast), config.fps, sound, config.sound_rate)
    return ClipTruth(plan, source_boxes(plan, config, cast))


def _with_cast(
    config: SynthesisConfig, pictures: Path | str | None, sounds: Path | str | None
) -> tuple[SynthesisConfig, Cast]:
    """Find out who plays, and write it into the configuration."""
    if (pictures is None) != (sounds is None):
        raise UsageError(
            "photographs and recordings go together", "Name a folder of each, or neither."
        )
    if pictures is None or sounds is None:
        cast: Cast = DRAWN
    else:
        cast = cast_from(Path(pictures), Path(sounds))
        config = replace(config, media=config.media or cast.media, n_classes=len(cast.labels))
    if config.media != cast.media:
        raise UsageError(
            "the configuration is for other photographs and recordings",
            "Leave its media empty, and name the folders.",
        )
    return config, cast


def _made_here(
    folder: Path, config: SynthesisConfig, cast: Cast, plans: list[ClipPlan], n_workers: int
) -> Iterator[ClipTruth]:
    for plan in plans:
        yield make_clip(folder, config, cast, plan)


def _made_by_workers(
    folder: Path, config: SynthesisConfig, cast: Cast, plans: list[ClipPlan], n_workers: int
) -> Iterator[ClipTruth]:
    pool = ProcessPoolExecutor(min(n_workers, len(plans)), mp_context=get_context("spawn"))
    try:
        for future in as_completed(
            [pool.submit(make_clip, folder, config, cast, plan) for plan in plans]
        ):
            yield future.result()
    except BrokenProcessPool as error:
        raise AvlocError(
            f"a worker process died while making clips in {folder}",
            "Run it again: the clips that are whole are kept. A script of your own must call it "
            "under `if __name__ == '__main__':`, or with workers=0.",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
