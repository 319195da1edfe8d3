"""From plans to files: worker processes make the clips, then the truth goes beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from avloc.artifacts import atomic_path
from avloc.datasets.ave import VIDEO_FOLDER, load_ave
from avloc.datasets.dataset import SPLITS, Dataset
from avloc.datasets.synthetic.composition import ClipPlan, compose
from avloc.datasets.synthetic.config import SynthesisConfig
from avloc.datasets.synthetic.picture import frames, source_boxes
from avloc.datasets.synthetic.soundtrack import soundtrack
from avloc.datasets.synthetic.truth import ClipTruth, claim, write_truth
from avloc.errors import AvlocError, UsageError
from avloc.media import write_clip
from avloc.progress import Progress, silent


def synthesize(
    folder: Path | str,
    config: SynthesisConfig | None = None,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Make a data set of raw clips with known truth, in AVE's layout.

    Clips that are already there are kept, so an interrupted run goes on where it was. The
    same configuration makes the same bytes, whatever the number of workers.

    Args:
        folder: where it goes.
        config: what to make; the defaults when None.
        workers: processes; one a core when None, none beside this one when 0.
        progress: called with (clips done, clips, video id).

    Returns:
        The data set, read back from the folder.

    Raises:
        UsageError: no clip is asked for.
        OutputError: the folder cannot be written, or holds another data set.
    """
    config, folder, told = config or SynthesisConfig(), Path(folder), progress or silent
    plans = [compose(config, split, k) for split in SPLITS for k in range(config.size_of(split))]
    if not plans:
        raise UsageError("a data set needs a clip", "Ask for at least one, in any split.")
    claim(folder, config)
    n_workers = (os.cpu_count() or 1) if workers is None else workers
    truths: dict[str, ClipTruth] = {}
    made = _made_here if n_workers == 0 else _made_by_workers
    for truth in made(folder, config, plans, n_workers):
        truths[truth.plan.video_id] = truth
        told(len(truths), len(plans), truth.plan.video_id)
    write_truth(folder, config, [truths[plan.video_id] for plan in plans])
    return load_ave(folder, n_segments=config.seconds)


def make_clip(folder: Path, config: SynthesisConfig, plan: ClipPlan) -> ClipTruth:
    """Write one clip, unless it is there, and return what is true of it.

    Raises:
        OutputError: it cannot be written.
    """
    target = folder / VIDEO_FOLDER / f"{plan.video_id}.mp4"
    if not target.is_file():
        with atomic_path(target) as temporary:
            sound = soundtrack(plan, config)
            write_clip(temporary, frames(plan, config), config.fps, sound, config.sound_rate)
    return ClipTruth(plan, source_boxes(plan, config))


def _made_here(
    folder: Path, config: SynthesisConfig, plans: list[ClipPlan], n_workers: int
) -> Iterator[ClipTruth]:
    for plan in plans:
        yield make_clip(folder, config, plan)


def _made_by_workers(
    folder: Path, config: SynthesisConfig, plans: list[ClipPlan], n_workers: int
) -> Iterator[ClipTruth]:
    pool = ProcessPoolExecutor(min(n_workers, len(plans)), mp_context=get_context("spawn"))
    try:
        for future in as_completed(
            [pool.submit(make_clip, folder, config, plan) for plan in plans]
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
