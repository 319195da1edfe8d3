"""What the open model knows of a folder of real clips with labels, times and boxes::

    python tools/open_table.py ../shared/real/annotated --weights ../shared/weights/efficientat

prints Markdown tables: which label, when, where, and false alarms. ``--into BENCHMARKS.md`` puts
them between the lines ``<!-- open -->`` and ``<!-- /open -->``. Nothing is tuned here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from marked_pages import put_between
from open_answers import (
    Answers,
    alarms_table,
    timed_table,
    when_tables,
    where_table,
    which_table,
)
from open_clips import Clip, labels_of, read_clips, timed_clip

from avloc.features import WeightsPolicy, extract_video
from avloc.stages.open_model import make_open_model
from avloc.tables.table import Table

GRIDS = (1.0, 0.25)
MARKS = ("<!-- open -->", "<!-- /open -->")


def ask(
    clips: Sequence[Clip], labels: Sequence[str], segment_seconds: float, policy: WeightsPolicy
) -> Answers:
    """Ask all labels of all clips at once; they do not compete."""
    made = make_open_model(labels, segment_seconds=segment_seconds, policy=policy)
    localizer = made.localizer()
    features = [extract_video(clip.path, localizer.encoders) for clip in clips]
    return Answers([localizer.of_features(f) for f in features], features, localizer, policy)


def tables_of(clips: Sequence[Clip], timed: Sequence[Clip], policy: WeightsPolicy) -> list[Table]:
    """Ask everything on both grids, and return the tables."""
    every = [*clips, *timed]
    strong = [label for clip in every for label, _ in clip.times]
    labels = list(dict.fromkeys([*labels_of(clips), *strong]))
    grids = {seconds: ask(every, labels, seconds, policy) for seconds in GRIDS}
    first = grids[GRIDS[0]]
    own = {seconds: answers.timelines[: len(clips)] for seconds, answers in grids.items()}
    others = {seconds: answers.timelines[len(clips) :] for seconds, answers in grids.items()}
    of_clips = Answers(own[GRIDS[0]], first.features[: len(clips)], first.localizer, policy)
    tables = [which_table(clips, of_clips.timelines), *when_tables(clips, own)]
    tables += [timed_table(timed, others)] if timed else []
    return [*tables, where_table(clips, of_clips), alarms_table(clips, of_clips.timelines)]


def main(show: Callable[[str], object] = sys.stdout.write) -> None:
    """Measure the folder that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="clips with index.json")
    parser.add_argument("--weights", type=Path, help="a folder with weight files")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--into", type=Path, help="put the tables between the marks of this file")
    timed = ("CLIP", "LABEL", "TIMES")
    parser.add_argument("--timed", nargs=3, action="append", default=[], metavar=timed)
    asked = parser.parse_args()
    policy = WeightsPolicy(folder=asked.weights, offline=asked.offline)
    clips, extra = read_clips(asked.folder), [timed_clip(*of) for of in asked.timed]
    text = "\n".join(table.markdown() for table in tables_of(clips, extra, policy))
    if asked.into is None:
        show(text)
    else:
        put_between(asked.into, text, MARKS)


if __name__ == "__main__":
    main()
