"""Each text format read back by a parser that others wrote, to the precision it can hold.

Microseconds where the format has decimals, milliseconds in subtitles and ELAN. Labels come
back to the letter from JSON and the tables; as one line (`one_line` written out again here)
from the formats where a label is a line.
"""

import html
import io
import json
import re
import unicodedata

import jsonschema
import mir_eval
import numpy as np
import pandas as pd
import pytest
import srt
import webvtt
from hypothesis import example, given
from made_up_timelines import NASTY, timeline_of, timelines, unhurried
from pympi.Elan import Eaf

from avloc.export.formats.delimited import localization_schema
from avloc.export.formats.saving import dumps, save

MICROSECOND, MILLISECOND, HUNDREDTH = 1.01e-6, 5.01e-4, 5.01e-3
BLANK = timeline_of(
    [0, 1, 2], ["\n", " ", "NA"]
)  # nothing to see, and what pandas takes for nothing
FILES = [timeline_of([0, 1, 2, 3, 4, 5], NASTY, video_id=NASTY[1], source=NASTY[4]), BLANK]


SENSE_COLUMNS = ["sense", "heard", "seen"]
EVENT_COLUMNS = ["start", "end", "label", "score", *SENSE_COLUMNS]


def nasty_and_any(test):
    for timeline in FILES:
        test = example(timeline)(test)
    return unhurried(given(timelines())(test))


def as_line(label):
    """Return a label as a line: no control characters, single spaces, never empty."""
    kept = (" " if unicodedata.category(c) in ("Cc", "Cs") else c for c in label)
    text = "".join(" " if c in "\ufffe\uffff" else c for c in kept)
    return re.sub(r"\s+", " ", text).strip() or "unnamed"


def check_times(read, timeline, precision):
    want = np.array([(e.start, e.end) for e in timeline]).reshape(-1, 2)
    assert np.array(read, float).reshape(-1, 2) == pytest.approx(want, abs=precision)


def check_table(table, timeline, start="start", end="end", label="label"):
    check_times(table[[start, end]].to_numpy(), timeline, MICROSECOND)
    assert table[label].tolist() == [e.label for e in timeline]
    if "score" in table:
        want = [e.score for e in timeline]
        assert table["score"].astype(float).tolist() == pytest.approx(want, abs=MICROSECOND)
    assert table["sense"].tolist() == [e.sense for e in timeline]
    for word in ("heard", "seen"):
        want = [np.nan if getattr(e, word) is None else getattr(e, word) for e in timeline]
        read = pd.to_numeric(table[word]).astype(float).tolist()
        assert read == pytest.approx(want, abs=MICROSECOND, nan_ok=True)


@nasty_and_any
def test_json_fits_its_schema(timeline):
    document = json.loads(dumps(timeline, "json"))
    jsonschema.validate(document, localization_schema(), jsonschema.Draft202012Validator)
    check_table(pd.DataFrame(document["events"], columns=EVENT_COLUMNS), timeline)


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"schema": "avloc.localization/2"},
        {"events": [{"start": 0, "end": 1, "label": "Bell", "score": 2}]},
        {"events": [{"start": 0, "end": 1, "label": "Bell"}]},
        {"events": [{"start": 0, "end": 1, "label": "Bell", "score": 1, "sense": "felt"}]},
        {"frame_size": [1, 2, 3]},
        {"labels": ["Bell", "Bell"]},
        {"segments": []},
        {"segments": [{"start": 0, "end": 1, "label": "Bell", "scores": [0.5], "gate": 1}]},
    ],
)
def test_the_schema_is_strict(change):
    text = dumps(timeline_of([0, 2], gates=[0.1, 0.9], frame_size=(64, 48)), "json")
    validator = jsonschema.Draft202012Validator(localization_schema())
    validator.check_schema(localization_schema())
    validator.validate(json.loads(text))
    assert not validator.is_valid({**json.loads(text), **change})
    for name in json.loads(text):
        rest = {key: value for key, value in json.loads(text).items() if key != name}
        assert not validator.is_valid(rest), name


def test_the_schema_knows_what_is_not_a_number():
    timeline = timeline_of([0, 1], duration=float("nan"))
    timeline.scores[1, 0] = np.nan
    jsonschema.validate(json.loads(dumps(timeline, "json")), localization_schema())


@nasty_and_any
def test_json_lines_in_pandas(timeline):
    kinds = {"video_id": str, "label": str}  # or "007" would be read as a number
    text = io.StringIO(dumps(timeline, "jsonl"))
    table = pd.read_json(text, lines=True, dtype=kinds, precise_float=True)
    if len(timeline):
        assert list(table.columns) == ["video_id", *EVENT_COLUMNS]
        assert set(table["video_id"]) == {timeline.video_id}
        check_table(table, timeline)
    else:
        assert table.empty


@nasty_and_any
def test_csv_in_pandas(timeline):
    text = io.StringIO(dumps(timeline, "csv"), newline="")
    kinds = {"video_id": str, "label": str}
    table = pd.read_csv(text, dtype=kinds, keep_default_na=False)  # a label may be "NA"
    assert list(table.columns) == ["video_id", *EVENT_COLUMNS]
    assert table["video_id"].tolist() == [timeline.video_id] * len(timeline)
    check_table(table, timeline)


@nasty_and_any
def test_dcase_in_pandas(timeline):
    text = io.StringIO(dumps(timeline, "tsv"), newline="")
    kinds = {"filename": str, "event_label": str}
    table = pd.read_csv(text, sep="\t", dtype=kinds, keep_default_na=False)  # as DCASE's baselines
    assert list(table.columns) == ["filename", "onset", "offset", "event_label", *SENSE_COLUMNS]
    check_table(table, timeline, "onset", "offset", "event_label")


def check_cues(cues, timeline):
    """Compare (start, end, text) of cues with the events; score and sense are in the text."""
    check_times([cue[:2] for cue in cues], timeline, MILLISECOND)
    for (_, _, text), event in zip(cues, timeline, strict=True):
        label, score, sense = re.fullmatch(r"(.*) \((\d\.\d\d)\)(?: (\w+))?", text).groups()
        assert (sense or "unknown") == event.sense
        assert label == as_line(event.label).replace("-->", "->")
        assert float(score) == pytest.approx(event.score, abs=HUNDREDTH)


@nasty_and_any
def test_srt_in_srt(timeline):
    subtitles = list(srt.parse(dumps(timeline, "srt")))
    assert [s.index for s in subtitles] == list(range(1, len(timeline) + 1))
    check_cues(
        [(s.start.total_seconds(), s.end.total_seconds(), s.content) for s in subtitles], timeline
    )


@nasty_and_any
def test_webvtt_in_webvtt(timeline):
    captions = webvtt.from_string(dumps(timeline, "vtt")).captions
    texts = [html.unescape(c.raw_text).replace("-->", "->") for c in captions]
    check_cues(
        [
            (
                c.start_in_seconds + c.start_time.milliseconds / 1000,
                c.end_in_seconds + c.end_time.milliseconds / 1000,
                text,
            )
            for c, text in zip(captions, texts, strict=True)
        ],
        timeline,
    )


@nasty_and_any
def test_audacity_in_mir_eval(timeline):
    text = io.StringIO(dumps(timeline, "audacity"))
    spans, labels = mir_eval.io.load_labeled_intervals(text, delimiter="\t", comment=None)
    check_times(spans, timeline, MICROSECOND)
    letters = {"heard": " [H]", "seen": " [S]", "both": " [B]", "unknown": ""}
    assert labels == [as_line(e.label) + letters[e.sense] for e in timeline]


@pytest.fixture(scope="module")
def eaf_file(tmp_path_factory):
    return tmp_path_factory.mktemp("elan") / "clip.eaf"


def test_elan_in_pympi(eaf_file):
    @nasty_and_any
    def check(timeline):
        document = Eaf(save(timeline, eaf_file))
        kinds = {tier: document.get_parameters_for_tier(tier) for tier in document.get_tier_names()}
        tiers = [tier for tier, kind in kinds.items() if kind.get("PARENT_REF") is None]
        assert set(tiers) == {as_line(e.label) for e in timeline}
        read = sorted(
            (*annotation, tier)
            for tier in tiers
            for annotation in document.get_annotation_data_for_tier(tier)
        )
        check_times([[ms / 1000 for ms in r[:2]] for r in read], timeline, MILLISECOND)
        assert [r[2] for r in read] == [as_line(e.label) for e in timeline]
        assert [r[3] for r in read] == [r[2] for r in read]
        assert len(document.get_linked_files()) == bool(timeline.source)
        senses = sorted(
            (*said[:2], kinds[tier]["PARENT_REF"], said[2])
            for tier in kinds.keys() - set(tiers)
            for said in document.get_ref_annotation_data_for_tier(tier)
        )
        events = zip(read, timeline, strict=True)
        assert senses == [(*r[:3], e.sense) for r, e in events if e.sense != "unknown"]

    check()
