"""Segment and event F1 of video parsing: the real annotation, and the authors' rule written out."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from avloc.evaluation.counts import count_events, count_segments
from avloc.evaluation.parsing_f1 import ParsedSenses, ParsingF1, parsing_f1, video_f1
from avloc.evaluation.trivial_marks import always, everywhere, nothing

SECONDS = 10


class Annotation:
    """LLP's test annotation, read by a few lines of its own."""

    def __init__(self, folder: Path) -> None:
        def rows(name: str) -> list[dict[str, str]]:
            with (folder / name).open(newline="") as file:
                return list(csv.DictReader(file, delimiter="\t"))

        full = rows("AVVP_dataset_full.csv")
        self.labels = sorted({name for row in full for name in row["event_labels"].split(",")})
        test = rows("AVVP_test_pd.csv")
        videos = {row["filename"]: k for k, row in enumerate(test)}
        self.weak = np.zeros((len(videos), len(self.labels)), bool)
        for row in test:
            for name in row["event_labels"].split(","):
                self.weak[videos[row["filename"]], self.labels.index(name)] = True

        def marks(name: str) -> np.ndarray:
            truth = np.zeros((len(videos), SECONDS, len(self.labels)), bool)
            for row in rows(name):
                if row["filename"] in videos:
                    span = slice(int(row["onset"]), int(row["offset"]))
                    truth[videos[row["filename"]], span, self.labels.index(row["event_labels"])] = 1
            return truth

        self.truth = ParsedSenses(marks("AVVP_eval_audio.csv"), marks("AVVP_eval_visual.csv"))
        self.scored = np.ones(self.truth.heard.shape[:2], bool)


@pytest.fixture(scope="module")
def llp(real_data: Path) -> Annotation:
    folder = real_data / "annotations" / "llp"
    if not folder.is_dir():
        pytest.skip(f"no annotation of LLP at {folder}")
    return Annotation(folder)


def percentages(f1: ParsingF1 | None) -> list[float]:
    assert f1 is not None
    values = (f1.audio, f1.visual, f1.audio_visual, f1.type, f1.event)
    return [round(100 * value, 1) for value in values]


@pytest.mark.real
def test_the_lines_that_need_no_model(llp):
    heard, seen = llp.truth.heard, llp.truth.seen
    weak = everywhere(llp.weak, llp.scored)
    n_labels = len(llp.labels)
    speech = always(llp.labels.index("Speech"), n_labels, llp.scored)
    silent = nothing(n_labels, llp.scored)
    by_sense = ParsedSenses(
        everywhere(heard.any(axis=1), llp.scored), everywhere(seen.any(axis=1), llp.scored)
    )
    lines = {
        "weak": (ParsedSenses(weak, weak), [76.1, 60.3, 52.6, 63.0, 71.7]),
        "sense": (by_sense, [80.1, 89.8, 82.8, 84.2, 82.0]),
        "speech": (ParsedSenses(speech, speech), [16.6, 4.1, 4.3, 8.3, 10.6]),
        "nothing": (ParsedSenses(silent, silent), [0.5, 10.1, 14.5, 8.4, 0.0]),
    }
    for name, (answer, expected) in lines.items():
        assert percentages(parsing_f1(answer, llp.truth)) == expected, name


@pytest.mark.real
def test_the_truth_is_right_in_both_levels(llp):
    for level in ("segment", "event"):
        assert percentages(parsing_f1(llp.truth, llp.truth, level)) == [100.0] * 5


def spans(series: np.ndarray) -> list[set[int]]:
    """The runs of a series, as sets of seconds."""
    runs: list[set[int]] = []
    for t, on in enumerate(series):
        if on and (t == 0 or not series[t - 1]):
            runs.append(set())
        if on:
            runs[-1].add(t)
    return runs


def rule(answer: np.ndarray, truth: np.ndarray, level: str) -> np.ndarray:
    """(C, 3) TP, FP and FN of one video: of the authors' code, in its order, pair by pair."""
    counts = []
    for a, t in zip(answer.T, truth.T, strict=True):
        if level == "segment":
            counts.append([(a & t).sum(), (a & ~t).sum(), (~a & t).sum()])
            continue
        guessed, true = spans(a), spans(t)
        hits = sum(any(2 * len(g & s) >= len(g | s) for s in true) for g in guessed)
        missed = sum(not any(2 * len(g & s) >= len(g | s) for g in guessed) for s in true)
        counts.append([hits, len(guessed) - hits, missed])
    return np.array(counts)


def rule_f1(counts: np.ndarray) -> float:
    f1 = [2 * tp / (2 * tp + fp + fn) for tp, fp, fn in counts if tp + fp + fn]
    return sum(f1) / len(f1) if f1 else 1.0


marks = arrays(bool, (4, 2, 8, 3))


@given(marks, st.sampled_from(["segment", "event"]))
def test_against_the_authors_rule(drawn, level):
    """Two videos of eight seconds and three labels, in each sense."""
    answer, truth = ParsedSenses(drawn[0], drawn[1]), ParsedSenses(drawn[2], drawn[3])
    f1 = video_f1(answer, truth, level)
    for video in range(2):
        heard = rule(answer.heard[video], truth.heard[video], level)
        seen = rule(answer.seen[video], truth.seen[video], level)
        both = rule(
            answer.heard[video] & answer.seen[video], truth.heard[video] & truth.seen[video], level
        )
        expected = [rule_f1(heard), rule_f1(seen), rule_f1(both)]
        expected += [sum(expected) / 3, rule_f1(heard + seen)]
        names = ("audio", "visual", "audio_visual", "type", "event")
        assert [f1[name][video] for name in names] == pytest.approx(expected)


def series(text: str) -> np.ndarray:
    """One video with one label: a cross where it is."""
    return np.array([letter == "x" for letter in text])[None, :, None]


@pytest.mark.parametrize(
    ("answer", "truth", "segments", "events"),
    [
        ("xxxx....", "xxxx....", (4, 0, 0), (1, 0, 0)),
        ("xx......", "xxxx....", (2, 0, 2), (1, 0, 0)),  # IoU 0.5 is enough
        ("x.......", "xxxx....", (1, 0, 3), (0, 1, 1)),
        ("xx.xx...", "xxxxx...", (4, 0, 1), (0, 2, 1)),  # 2/5 each
        ("........", "xx....xx", (0, 0, 4), (0, 0, 2)),
        ("xxxxxxxx", "xxxx.xxx", (7, 1, 0), (1, 0, 1)),
    ],
)
def test_counts_by_hand(answer, truth, segments, events):
    for count, expected in ((count_segments, segments), (count_events, events)):
        counts = count(series(answer), series(truth))
        found = (counts.hits, counts.false_alarms, counts.misses)
        assert tuple(int(array[0, 0]) for array in found) == expected


def test_a_video_without_a_label_in_truth_and_answer_is_right():
    silent = np.zeros((1, 4, 2), bool)
    assert count_segments(silent, silent).f1().tolist() == [1.0]
    assert count_events(silent, silent).f1().tolist() == [1.0]
    none = ParsedSenses(silent[:0], silent[:0])
    assert parsing_f1(none, none) is None
