"""The tables of ``tools/open_table.py``: which label, when, where, and false alarms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray
from open_clips import Clip, absent_labels, labels_of
from open_measures import Span, Timing, joined, rank_of, segment_auc, timing

from avloc.artifacts import VideoFeatures
from avloc.errors import UsageError
from avloc.evaluation.paired import paired_difference
from avloc.evaluation.spatial import centre_map, spatial_metrics
from avloc.features import WeightsPolicy
from avloc.localizer import Localizer
from avloc.stages.open_model import make_open_model
from avloc.tables.table import Table, percent
from avloc.timeline import Timeline
from avloc.vocabulary import map_labels

pairs = partial(zip, strict=True)
SENSES = {"both senses": "score", "sound alone": "heard", "picture alone": "seen"}


@dataclass(frozen=True)
class Answers:
    """The open model's answers on one grid, and what made them."""

    timelines: list[Timeline]
    features: list[VideoFeatures]
    localizer: Localizer
    policy: WeightsPolicy


def which_table(clips: Sequence[Clip], timelines: Sequence[Timeline]) -> Table:
    """Return how often a clip's label is first, and in five, among the folder's labels."""
    labels = labels_of(clips)
    ranks = {
        words: [_rank(clip, timeline, labels, name) for clip, timeline in pairs(clips, timelines)]
        for words, name in SENSES.items()
    }
    rows = []
    for words, of_clips in ranks.items():
        known = [rank for rank in of_clips if rank is not None]
        rows.append([words, *(_share(r <= k for r in known) for k in (1, 5)), str(len(known))])
    chance = [percent(min(k / len(labels), 1)) for k in (1, 5)]
    both = [n for n, of in enumerate(ranks["sound alone"]) if of is not None]
    differences = [
        f"both minus {words}, first, on the same clips: "
        + _paired([[ranks[of][n] == 1 for n in both] for of in ("both senses", words)])
        for words in ("sound alone",)
    ]
    return Table(
        title=f"Which of {len(labels)} labels",
        header=("from", "first", "in the first five", "clips"),
        rows=[*rows, ["chance", *chance, ""]],
        caption=f"A clip without sound does not count for sound alone. {'; '.join(differences)}.",
    )


def _rank(clip: Clip, timeline: Timeline, labels: Sequence[str], name: str) -> int | None:
    if name != "score" and getattr(timeline, name) is None:
        return None
    scores = {of.label: getattr(of, name) for of in timeline.clip_scores()}
    return rank_of(clip.label, {label: scores[label] for label in labels})


def when_tables(clips: Sequence[Clip], grids: dict[float, Sequence[Timeline]]) -> list[Table]:
    """Return how events fit the strong times, label by label; and the clips named by --timed."""
    results = {f"segments of {s:g} s": _timings(clips, of) for s, of in grids.items()}
    everywhere = [
        timing([(0.0, timeline.duration)], spans, timeline.duration)
        for clip, timeline in pairs(clips, next(iter(grids.values())))
        for _, spans in clip.times
    ]
    rows = [[name, *_when_row(timings), _mean(aucs)] for name, (timings, aucs) in results.items()]
    rows.append(["everywhere in the clip", *_when_row(everywhere), "50.0%"])
    ids = [str(clip.path) for clip in clips for _ in clip.times]
    differences = [
        f"{name} minus everywhere, mean F1 of time: "
        + _paired([[t.time_f1 for t in of] for of in (timings, everywhere)], ids)
        for name, (timings, _) in results.items()
    ]
    n_clips = sum(bool(clip.times) for clip in clips)
    return [
        Table(
            title="When: each strong label of a clip, asked by its name",
            header=(
                *("answer", "F1 of time", "mean of labels", "event F1", "boundary error"),
                *("events", "order of segments"),
            ),
            rows=rows,
            caption=f"{len(everywhere)} labels in {n_clips} clips; labels that name no sound "
            "(background noise) are not asked. F1 of time: of the seconds of all labels, which no "
            "grid rounds. Event F1 and boundary error (median): events matched with an IoU of "
            "0.5. Order of segments: the area under the ROC curve in a clip, mean over labels "
            f"that are not everywhere. {'; '.join(differences)}.",
        )
    ]


def timed_table(clips: Sequence[Clip], grids: dict[float, Sequence[Timeline]]) -> Table:
    """Return the events of single labels beside their true times."""
    rows = []
    for n, clip in enumerate(clips):
        for label, spans in clip.times:
            what = f"{label} in {clip.path.stem}"
            rows.append([what, "true", _spans(joined(spans)), *[""] * 3])
            for seconds, timelines in grids.items():
                found = _events(timelines[n], label)
                of = timing(found, spans, timelines[n].duration)
                errors = ", ".join(f"{error:.2f}" for error in of.boundary_errors)
                numbers = (percent(of.time_f1), percent(of.event_f1), errors)
                rows.append([what, f"{seconds:g} s", _spans(found), *numbers])
    header = ("label", "segments", "events in seconds", "F1 of time", "event F1", "errors, s")
    return Table("When: single labels", header, rows)


def _timings(
    clips: Sequence[Clip], timelines: Sequence[Timeline]
) -> tuple[list[Timing], list[float]]:
    timings, aucs = [], []
    for clip, timeline in pairs(clips, timelines):
        for label, spans in clip.times:
            timings.append(timing(_events(timeline, label), spans, timeline.duration))
            scores = timeline.scores[:, timeline.labels.index(label)]
            aucs.append(segment_auc(scores, timeline.middles(), spans))
    return timings, [auc for auc in aucs if np.isfinite(auc)]


def _when_row(timings: Sequence[Timing]) -> list[str]:
    right, answered, true, matched, n_answered, n_true = (
        sum(getattr(t, name) for t in timings)
        for name in (
            *("seconds_right", "seconds_answered", "seconds_true"),
            *("n_matched", "n_answered", "n_true"),
        )
    )
    errors = [error for t in timings for error in t.boundary_errors]
    return [
        percent(2 * right / max(answered + true, 1e-9)),
        _mean([t.time_f1 for t in timings]),
        percent(2 * matched / max(n_answered + n_true, 1)),
        f"{median(errors):.2f} s" if errors else "-",
        f"{n_answered} for {n_true}",
    ]


def where_table(clips: Sequence[Clip], answers: Answers) -> Table:
    """Return how often a label's map points into its box, in the middle and on average."""
    boxes, middle, mean = [], [], []
    n_without = 0
    for clip, features in pairs(clips, answers.features):
        if not clip.boxes:
            continue
        maps = _maps(clip.label, features, answers)
        if maps is None or np.ptp(maps.mean(axis=0)) < 1e-9:
            n_without += 1
            continue
        boxes.append(clip.boxes)
        mean.append(maps.mean(axis=0))
        middle.append(maps[len(maps) // 2])
    centre = [centre_map()] * len(boxes)
    rows = []
    titles = ("map of the middle second", "mean of the clip's maps", "always the centre")
    for title, maps in zip(titles, (middle, mean, centre), strict=True):
        found = spatial_metrics(maps, boxes) if boxes else None
        n_hit = round(found.pointing * len(boxes)) if found else 0
        rows.append([title, f"{n_hit} of {len(boxes)}", percent(found.mean_iou if found else None)])
    return Table(
        title="Where: the strongest point lies in the box of the sounding thing",
        header=("map", "in the box", "mean IoU"),
        rows=rows,
        caption=f"{n_without} clips with a box have no map, since nothing seen matches the label.",
    )


def _maps(label: str, features: VideoFeatures, answers: Answers) -> NDArray | None:
    """Return the maps of one label, asked alone; None if no encoder knows it."""
    try:
        made = make_open_model([label], policy=answers.policy)
    except UsageError:
        return None
    return Localizer(made.file, answers.localizer.encoders).of_features(features).attention


def alarms_table(clips: Sequence[Clip], timelines: Sequence[Timeline]) -> Table:
    """Return how often labels that are not in a clip become events."""
    labels = labels_of(clips)
    names = {*labels, *(name for clip in clips for name in clip.also)}
    classes = {m.label: _classes(m) for m in map_labels(sorted(names))}
    absent = [absent_labels(clip, labels, classes) for clip in clips]
    rows = []
    for title, asked in (
        ("labels that are not there", absent),
        ("the clip's label", [[c.label] for c in clips]),
    ):
        found = [
            (_events(timeline, label), timeline.duration)
            for timeline, of_clip in pairs(timelines, asked)
            for label in of_clip
        ]
        seconds = sum(end - start for spans, _ in found for start, end in spans)
        rows.append(
            [
                *(title, str(len(found)), _share(bool(spans) for spans, _ in found)),
                f"{sum(len(spans) for spans, _ in found) / len(clips):.2f}",
                percent(seconds / sum(duration for _, duration in found)),
            ]
        )
    return Table(
        title="False alarms: ten labels of other clips asked of each clip",
        header=("asked", "questions", "with an event", "events a clip", "share of the time"),
        rows=rows,
        caption="A label that shares a word or a class with what is in the clip is not asked.",
    )


def _classes(mapping: object) -> set:
    senses = ("heard", "seen")
    return {(sense, c.index) for sense in senses for c in getattr(mapping, sense)}


def _events(timeline: Timeline, label: str) -> list[Span]:
    return [(event.start, event.end) for event in timeline if event.label == label]


def _share(flags: Iterable[bool]) -> str:
    values = list(flags)
    return percent(fmean(values)) if values else "-"


def _mean(values: Sequence[float]) -> str:
    return percent(fmean(values)) if values else "-"


def _spans(spans: Sequence[Span]) -> str:
    return ", ".join(f"{start:.2f}-{end:.2f}" for start, end in spans) or "none"


def _paired(values: Sequence[Sequence[float]], ids: Sequence[str] | None = None) -> str:
    """Return the difference of two answers in points, with its interval over clips."""
    first, second = (np.array(of, np.float64) for of in values)
    difference = paired_difference(first, second, ids or [str(n) for n in range(len(first))])
    if difference is None:
        return "-"
    low, high = (100 * limit for limit in difference.interval)
    return f"{100 * difference.mean:+.1f} points ({low:+.1f} to {high:+.1f})"
