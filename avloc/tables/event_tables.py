"""The tables of ``avloc eval`` for events, labels and senses: those that the data can give."""

from __future__ import annotations

from collections.abc import Mapping

from avloc.evaluation.average_precision import COLUMNS, MeanAveragePrecision
from avloc.evaluation.event_evaluation import MODEL, EventEvaluation, LabelF1
from avloc.evaluation.ov_ave import ClipMetrics
from avloc.evaluation.parsing_f1 import ParsingF1
from avloc.evaluation.reliability import Reliability
from avloc.evaluation.sense_words import WORDS, SenseWords, share_right
from avloc.evaluation.state_areas import StateArea
from avloc.tables.table import Table, percent

_MEASURED = {
    "labels": "labels",
    "segments": "segments, likeliest label",
    "gates": "segments, sentinel gates",
}


def event_tables(events: EventEvaluation, model: str) -> list[Table]:
    """Return the tables that have numbers; ``model`` is the name of the model."""
    tables = [_clips(group, clips, model) for group, clips in events.clips.items()]
    tables += [_parsing(level, f1, model) for level, f1 in events.parsing.items()]
    if events.labels:
        tables.append(_labels(events.labels, model))
    if events.precision:
        tables.append(_precision(events.precision, model))
    if events.reliability is not None:
        tables.append(_reliability(events.reliability, "event", "takes a true event at tIoU 0.5"))
    if events.label_reliability is not None:
        tables.append(_reliability(events.label_reliability, "label of a segment", "is true"))
    if events.senses:
        tables.append(senses_table(events.senses))
    if events.words:
        tables.append(_words(events.words))
    return tables


def _named(name: str, model: str) -> str:
    return model if name == MODEL else name


def _precision(of: Mapping[str, MeanAveragePrecision], model: str) -> Table:
    first = of[MODEL]
    return Table(
        title="Mean average precision of events",
        header=("answer", *(f"tIoU {theta:.1f}" for theta in COLUMNS), "mean of 0.1 to 0.9"),
        rows=[
            (
                _named(name, model),
                *(percent(result.at(theta)) for theta in COLUMNS),
                percent(result.average),
            )
            for name, result in of.items()
        ],
        caption=(
            f"{first.n_events} true events of {first.n_labels} labels; the rule of ActivityNet: by "
            "falling score, each event takes the free true event that it overlaps most."
        ),
    )


def _reliability(of: Reliability, answer: str, right: str) -> Table:
    return Table(
        title=f"Calibration by {answer}",
        header=("score", "mean score", "right", "number"),
        rows=[
            (
                f"{line.low:.1f} to {line.high:.1f}",
                f"{line.confidence:.2f}",
                percent(line.share_right),
                str(line.n_answers),
            )
            for line in of.bins
        ],
        caption=(
            f"Right: it {right}. Expected calibration error {percent(of.error)}: the mean gap "
            "between score and share of right ones."
        ),
    )


def _labels(of: Mapping[str, LabelF1], model: str) -> Table:
    return Table(
        title="F1 of segments",
        header=("answer", "macro", "micro"),
        rows=[
            (_named(name, model), percent(f1.macro), percent(f1.micro)) for name, f1 in of.items()
        ],
        caption="Macro: the mean over labels; micro: all segments and labels together.",
    )


def _parsing(level: str, of: Mapping[str, ParsingF1], model: str) -> Table:
    columns = {
        "audio": "heard (A)",
        "visual": "seen (V)",
        "audio_visual": "both (AV)",
        "type": "Type@AV",
        "event": "Event@AV",
    }
    return Table(
        title=f"F1 by sense, {level} level",
        header=("answer", *columns.values()),
        rows=[
            (_named(name, model), *(percent(getattr(f1, column)) for column in columns))
            for name, f1 in of.items()
        ],
        caption=(
            f"{of[MODEL].n_videos} videos; the mean over each video's labels, then over videos, as "
            "for LLP. Type@AV is the mean of the three, Event@AV counts A and V together."
        ),
    )


def _clips(group: str, of: Mapping[str, ClipMetrics], model: str) -> Table:
    return Table(
        title=f"OV-AVEBench, {group}",
        header=("answer", "accuracy", "segment F1", "event F1"),
        rows=[
            (
                _named(name, model),
                percent(metrics.accuracy),
                percent(metrics.segment_f1),
                percent(metrics.event_f1),
            )
            for name, metrics in of.items()
        ],
        caption=(
            f"{of[MODEL].n_clips} clips; background is a class; F1 is the mean over a clip's "
            "classes, then over clips; events match at IoU 0.5."
        ),
    )


def senses_table(of: Mapping[str, Mapping[str, StateArea]]) -> Table:
    """Return how well each quantity tells what is audible and what is visible, by true state."""
    return Table(
        title="Which sense knows it: area under the ROC curve",
        header=("measured", "true state", "heard", "seen", "cases"),
        rows=[
            (
                _MEASURED[name],
                state,
                *("-" if value is None else f"{value:.3f}" for value in (area.heard, area.seen)),
                str(area.n_cases),
            )
            for name, areas in of.items()
            for state, area in areas.items()
        ],
        caption=(
            "heard: for 'is audible'; seen: for 'is visible'. A state's cases are set against all "
            "cases of the opposite truth; 0.5 is chance. Labels: those that the video has."
        ),
    )


def _words(of: Mapping[str, SenseWords]) -> Table:
    n_events = sum(words.n_events for words in of.values())
    always_both = of["both"].n_events / n_events if "both" in of else 0.0
    return Table(
        title="Which sense knows it: the word for each event",
        header=("true sense", *(f"called {word}" for word in WORDS), "right"),
        rows=[
            (
                true,
                *(str(getattr(words, word)) for word in WORDS),
                percent(getattr(words, true) / words.n_events),
            )
            for true, words in of.items()
        ],
        caption=(
            f"{n_events} found events: most of their segments are of a true event of the label. "
            f"{percent(share_right(of))} have the right word; always saying both, "
            f"{percent(always_both)}."
        ),
    )
