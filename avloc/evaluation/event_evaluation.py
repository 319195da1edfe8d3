"""Metrics of events, labels and senses on a split, each beside answers without a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from avloc.artifacts import Predictions
from avloc.evaluation.average_precision import MeanAveragePrecision, mean_average_precision
from avloc.evaluation.counts import Marks
from avloc.evaluation.event_matching import EventLists
from avloc.evaluation.ov_ave import ClipMetrics, clip_metrics, clip_values
from avloc.evaluation.parsing_f1 import LEVELS, ParsedSenses, ParsingF1, parsing_f1
from avloc.evaluation.reliability import Reliability, event_reliability, label_reliability
from avloc.evaluation.sense_words import SenseWords, sense_words
from avloc.evaluation.split_answers import Answers
from avloc.evaluation.state_areas import StateArea, label_cases, sense_areas
from avloc.evaluation.trivial_marks import always, everywhere, nothing
from avloc.timeline import Event

MODEL = "model"
KNOWN = "labels of each video known, everywhere in it"
KNOWN_BY_SENSE = "labels of each sense known, everywhere"
NOTHING = "nothing"


@dataclass(frozen=True)
class LabelF1:
    """F1 of segments of independent labels."""

    macro: float  # the mean over labels in truth or answer
    micro: float  # of all segments and labels together


@dataclass(frozen=True)
class EventEvaluation:
    """Metrics by answer: of the model (`MODEL`), and of what needs none.

    Attributes:
        precision: mean average precision of events; empty without a true event.
        reliability: of events by their scores; None without an event.
        label_reliability: of independent labels in segments; None for exclusive ones.
        labels: F1 of segments of independent labels; empty for exclusive ones.
        parsing: by level, F1 of what is heard and seen; empty where the truth does not say.
        clips: OV-AVEBench's metrics by group of clips (``total`` is all); else empty.
        senses: areas under ROC curves by what is measured (``labels``, ``segments`` by their
            likeliest label, ``gates``) and by state; empty where no truth tells the senses apart.
        words: of the senses of found events, by the true word; empty where no truth says them.
    """

    precision: Mapping[str, MeanAveragePrecision]
    reliability: Reliability | None
    label_reliability: Reliability | None = None
    labels: Mapping[str, LabelF1] = field(default_factory=dict)
    parsing: Mapping[str, Mapping[str, ParsingF1]] = field(default_factory=dict)
    clips: Mapping[str, Mapping[str, ClipMetrics]] = field(default_factory=dict)
    senses: Mapping[str, Mapping[str, StateArea]] = field(default_factory=dict)
    words: Mapping[str, SenseWords] = field(default_factory=dict)


def measure_events(
    predictions: Predictions,
    answers: Answers,
    *,
    majority_label: str = "",
    groups: Mapping[str, str] | None = None,
) -> EventEvaluation:
    """Measure answers; ``groups`` are of labels, where the data set has them (OV-AVEBench)."""
    labels = predictions.labels
    majority = majority_label if majority_label in labels.names else ""
    timed = [n for n, knows in enumerate(answers.knows_times) if knows]
    answered, true = ([of[n] for n in timed] for of in (answers.events, answers.true_events))
    events: dict[str, EventLists] = {MODEL: answered, KNOWN: _known(answers, labels.names, timed)}
    if majority:
        events[f"always {majority!r}"] = [_whole([majority], answers.seconds[n]) for n in timed]
    precision = {name: mean_average_precision(given, true) for name, given in events.items()}
    independent = not labels.is_exclusive and predictions.scored.any()
    return EventEvaluation(
        precision={name: of for name, of in precision.items() if of is not None},
        reliability=event_reliability(answered, true),
        label_reliability=label_reliability(
            predictions.scores, predictions.truth, predictions.scored
        )
        if independent
        else None,
        labels=_labels(predictions, answers, majority) if independent else {},
        parsing=_parsing(predictions, answers, majority) if independent else {},
        clips=_clips(predictions, answers, groups) if groups and labels.is_exclusive else {},
        senses=_senses(predictions, answers),
        words=_words(predictions, answers),
    )


def _whole(names: list[str], seconds: float) -> list[Event]:
    return [Event(0.0, float(seconds), name, 1.0) for name in names]


def _known(answers: Answers, names: tuple[str, ...], rows: list[int]) -> EventLists:
    return [
        _whole([names[k] for k in np.flatnonzero(answers.present[n])], answers.seconds[n])
        for n in rows
    ]


def _trivial(predictions: Predictions, answers: Answers, majority: str) -> dict[str, Marks]:
    """Return the marks of answers without a model, by name."""
    names, scored = predictions.labels.names, predictions.scored
    marks = {KNOWN: everywhere(answers.present, scored)}
    if majority:
        marks[f"always {majority!r}"] = always(names.index(majority), len(names), scored)
    return marks | {NOTHING: nothing(len(names), scored)}


def _labels(predictions: Predictions, answers: Answers, majority: str) -> dict[str, LabelF1]:
    marks = {MODEL: answers.senses.heard | answers.senses.seen}
    marks |= _trivial(predictions, answers, majority)
    truth = predictions.truth[predictions.scored]
    return {name: _label_f1(of[predictions.scored], truth) for name, of in marks.items()}


def _label_f1(answer: NDArray[np.bool_], truth: NDArray[np.bool_]) -> LabelF1:
    occurs = np.flatnonzero(answer.any(axis=0) | truth.any(axis=0))
    if not len(occurs):
        return LabelF1(1.0, 1.0)

    def f1(average: Literal["macro", "micro"]) -> float:
        # two columns at least: a single one is not read as a set of labels
        columns = np.append(occurs, occurs[:1]) if len(occurs) == 1 else occurs
        return float(f1_score(truth[:, columns], answer[:, columns], average=average))

    return LabelF1(f1("macro"), f1("micro"))


def _parsing(
    predictions: Predictions, answers: Answers, majority: str
) -> dict[str, dict[str, ParsingF1]]:
    if predictions.true_heard is None or predictions.true_seen is None:
        return {}
    rows = np.any(predictions.scored, axis=1)
    scored = predictions.scored[..., None]
    truth = ParsedSenses(predictions.true_heard & scored, predictions.true_seen & scored)
    senses = {MODEL: answers.senses}
    senses |= {
        name: ParsedSenses(marks, marks)
        for name, marks in _trivial(predictions, answers, majority).items()
    }
    senses[KNOWN_BY_SENSE] = ParsedSenses(
        everywhere(np.any(truth.heard, axis=1), predictions.scored),
        everywhere(np.any(truth.seen, axis=1), predictions.scored),
    )
    found: dict[str, dict[str, ParsingF1]] = {level: {} for level in LEVELS}
    for level in LEVELS:
        for name, answer in senses.items():
            f1 = parsing_f1(_rows(answer, rows), _rows(truth, rows), level)
            if f1 is not None:
                found[level][name] = f1
    return {level: of for level, of in found.items() if of}


def _rows(senses: ParsedSenses, rows: np.bool_ | NDArray[np.bool_]) -> ParsedSenses:
    return ParsedSenses(senses.heard[rows], senses.seen[rows])


def _clips(
    predictions: Predictions, answers: Answers, groups: Mapping[str, str]
) -> dict[str, dict[str, ClipMetrics]]:
    labels, targets, scored = predictions.labels, predictions.targets, predictions.scored
    own = np.array([labels.index(name or labels.background) for name in answers.clip_labels])
    classes = {
        MODEL: predictions.class_scores.argmax(axis=-1),
        "class of each clip known, everywhere": np.broadcast_to(own[:, None], targets.shape),
        "always background": np.full(targets.shape, labels.background_index),
    }
    group_of = np.array([groups.get(name, "") for name in answers.clip_labels])
    rows = {name: group_of == name for name in sorted(set(groups.values()))}
    rows["total"] = np.ones(len(targets), dtype=bool)
    found: dict[str, dict[str, ClipMetrics]] = {name: {} for name in rows}
    for name, predicted in classes.items():
        values = clip_values(predicted, targets, scored, labels.n_classes)
        for group, chosen in rows.items():
            if (metrics := clip_metrics(values, chosen)) is not None:
                found[group][name] = metrics
    return {group: of for group, of in found.items() if of}


def _words(predictions: Predictions, answers: Answers) -> dict[str, SenseWords]:
    if answers.audible is None or answers.visible is None:
        return {}
    return sense_words(predictions, answers.events, answers.audible, answers.visible)


def _senses(predictions: Predictions, answers: Answers) -> dict[str, dict[str, StateArea]]:
    """Return areas of labels by segment, of segments by their likeliest label, and of the gates.

    Only videos with sound and picture count: what is said of a missing sense is no evidence.
    """
    audible, visible, scored = answers.audible, answers.visible, predictions.scored
    for has_sense in (predictions.has_sound, predictions.has_picture):
        scored = scored if has_sense is None else scored & has_sense[:, None]
    if audible is None or visible is None or not (audible ^ visible).any():
        return {}
    is_audible, is_visible = np.any(audible, axis=-1)[scored], np.any(visible, axis=-1)[scored]
    found = {}
    heard, seen = predictions.heard, predictions.seen
    if heard is not None and seen is not None:
        cases = label_cases(audible, visible, scored)
        found["labels"] = sense_areas(heard[cases], seen[cases], audible[cases], visible[cases])
        most_heard, most_seen = (np.fmax.reduce(said, axis=-1)[scored] for said in (heard, seen))
        found["segments"] = sense_areas(most_heard, most_seen, is_audible, is_visible)
    if predictions.gate_audio is not None and predictions.gate_visual is not None:
        gates = predictions.gate_audio[scored], predictions.gate_visual[scored]
        found["gates"] = sense_areas(*gates, is_audible, is_visible)
    return {name: {area.state: area for area in areas} for name, areas in found.items()}
