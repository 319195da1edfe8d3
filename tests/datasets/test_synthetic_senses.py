"""Clips of several events and of disagreement: the truth on disk against pixels and samples."""

import csv
import json
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.datasets import (
    SPLITS,
    Dataset,
    SynthesisConfig,
    find_boxes,
    find_senses,
    load_dataset,
    read_senses,
    synthesize,
)
from avloc.datasets.senses import is_inconsistent
from avloc.datasets.synthetic.composition import compose
from avloc.datasets.synthetic.descriptions import senses_of
from avloc.datasets.synthetic.material import DRAWN
from avloc.datasets.synthetic.rendering import event_boxes, frames, soundtrack
from avloc.errors import DatasetError, OutputError, UsageError
from avloc.timeline import Grid

TINY = SynthesisConfig(
    n_train=3, n_val=2, n_test=1, n_classes=3, width=128, height=96, fps=4, seconds=6
)
QUIET = replace(TINY, n_classes=6, seconds=10, picture_noise=0, sound_noise=0)
SEVERAL = replace(QUIET, events=3, heard_only=0.25, seen_only=0.25, late=0.2, late_seconds=1)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def plans_of(config, n=60):
    return [compose(config, "train", k) for k in range(n)]


def flags(interval, n=10):
    return np.isin(np.arange(n), np.arange(*interval))


def test_clips_of_one_event_are_what_they_were_before_there_were_several(tmp_path):
    """Digests made by the version that had one event only; the paper's tables rest on its clips."""
    hard = {"silent": 1, "offscreen": 1, "inconsistent": 0.8, "object_size": 0.75, "seed": 7}
    digests = {
        SynthesisConfig(): "e0a1e7665dd4480edf0835065fb1134586f48ae6a2272b4c3dff076b6d45737d",
        SynthesisConfig(
            n_classes=10, **hard
        ): "a09f94cb2dec9e6c2e12da3ea671c602069cfa962433b1f1a0a319bc522a474b",
    }
    for config, digest in digests.items():
        text = ""
        for plan in (compose(config, split, k) for split in SPLITS for k in range(100)):
            (source,) = plan.sources
            shown = (plan.video_id, plan.split, source.class_index, source.shown, source.sound)
            text += repr((*shown, plan.silent, plan.offscreen, plan.noise, plan.seed))
        assert sha256(text.encode()).hexdigest() == digest
    synthesize(tmp_path, TINY, workers=0)
    files = {
        "Annotations.txt": "af5a5bd6384523cb",
        "boxes.json": "22dd4a81de9d4190",
        "synthesis.json": "dbba1034481ffdc7",
        "trainSet.txt": "68008b7771b070a0",
    }
    for name, digest in files.items():
        assert sha256((tmp_path / name).read_bytes()).hexdigest().startswith(digest)
    plan = compose(TINY, "train", 0)
    of_seconds = np.stack(list(frames(plan, TINY))).reshape(6, -1).mean(axis=1)
    np.testing.assert_allclose(
        of_seconds, [152.25, 152.37, 151.85, 155.01, 155.02, 157.23], atol=0.02
    )
    level = 1000 * np.sqrt((soundtrack(plan, TINY).reshape(6, -1) ** 2).mean(axis=1))
    np.testing.assert_allclose(level, [4.65, 48.35, 48.65, 48.06, 46.98, 44.25], atol=0.02)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    config = replace(SEVERAL, n_train=10)
    return synthesize(tmp_path_factory.mktemp("several"), config, workers=0)


def test_several_events_are_read_back_with_their_senses(several):
    assert load_dataset(several.root.parent) == several
    assert several.labels.kind == "independent"
    assert several.coverage.present == several.coverage.total == 13
    senses = find_senses(several.root)
    assert {row.sense for row in several.rows} == {"both", "heard", "seen"}
    grid = Grid(10)
    for video_id in several.videos:
        rows = [row for row in several.rows if row.video_id == video_id]
        for label, truth in senses[video_id].items():
            for sense in ("heard", "seen"):
                known = [
                    grid.covers(row.start, row.end)
                    for row in rows
                    if row.label == label and row.sense in (sense, "both")
                ]
                expected = np.any([np.zeros(10, bool), *known], axis=0)
                np.testing.assert_array_equal(getattr(truth, sense), expected)


def test_several_events_on_disk_agree_with_each_other(several):
    root = several.root.parent
    synthesis = json.loads((root / "synthesis.json").read_text())
    boxes, senses = find_boxes(root), find_senses(root)
    lines = list(csv.DictReader((root / "manifest.csv").open()))
    assert {line["video"] for line in lines} == {f"clips/{name}.mp4" for name in several.videos}
    n_events = 0
    for video_id, clip in synthesis["clips"].items():
        n_events += len(clip["events"])
        assert [event["label"] for event in clip["events"]] == list(
            dict.fromkeys(row.label for row in several.rows if row.video_id == video_id)
        )
        sounding = np.sum([s.heard & s.seen for s in senses[video_id].values()], axis=0)
        assert [len(of_second) for of_second in boxes[video_id]] == sounding.tolist()
    assert sum(synthesis["measured"]["events"].values()) == n_events
    disagree = np.mean([is_inconsistent(senses[name], 10) for name in senses])
    measured = synthesis["measured"]["inconsistent_seconds"]["all"]
    assert measured == pytest.approx(disagree, abs=1e-4)


def test_what_is_said_to_be_heard_and_seen_is_heard_and_seen():
    for plan in plans_of(SEVERAL, 12):
        senses = senses_of(plan, 10, DRAWN)
        heard, seen = (
            np.any([getattr(truth, name) for truth in senses.values()], axis=0)
            for name in ("heard", "seen")
        )
        level = np.sqrt((soundtrack(plan, SEVERAL).reshape(10, -1) ** 2).mean(axis=1))
        np.testing.assert_array_equal(level > 1e-4, heard)
        blank = replace(plan, sources=tuple(replace(s, shown=unseen(s)) for s in plan.sources))
        pictures = (np.stack(list(frames(one, SEVERAL))) for one in (plan, blank))
        differs = np.not_equal(*pictures).reshape(10, -1).any(axis=1)
        np.testing.assert_array_equal(differs, seen)


def unseen(source):
    return replace(source.shown, seen=(0, 0))


def test_each_source_has_its_box():
    config = replace(SEVERAL, heard_only=0, seen_only=0, overlap=1)
    for plan in (plan for plan in plans_of(config, 12) if len(plan.sources) == 2):
        boxes = event_boxes(plan, config)
        for number, source in enumerate(plan.sources):
            others = [
                replace(s, shown=unseen(s)) if n == number else s
                for n, s in enumerate(plan.sources)
            ]
            pictures = (
                np.stack(list(frames(one, config)))
                for one in (plan, replace(plan, sources=tuple(others)))
            )
            covered = np.not_equal(*pictures).any(axis=3).reshape(10, 4, 96, 128).any(axis=1)
            for second in range(*source.together):
                rows, columns = np.nonzero(covered[second])
                edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
                offsets = np.array(boxes[second]) * ([128, 96] * 2) - edges
                assert np.abs(offsets).max(axis=1).min() <= 1.1


def test_kinds_have_their_shares_and_are_what_they_say():
    config = replace(SEVERAL, events=2, late_seconds=2)
    sources = [source for plan in plans_of(config, 600) for source in plan.sources]
    kinds = [source.kind for source in sources]
    shares = {"heard only": 0.25, "seen only": 0.25, "late sound": 0.2, "both": 0.3}
    for kind, share in shares.items():
        assert kinds.count(kind) / len(kinds) == pytest.approx(share, abs=0.05)
    for source in sources:
        seen, heard = source.shown.seen, source.sound.heard
        assert (seen == (0, 0)) == (source.kind == "heard only")
        assert (heard == (0, 0)) == (source.kind == "seen only")
        if source.kind in ("late sound", "both"):
            late = 2 * (source.kind == "late sound")
            assert heard == (seen[0] + late, seen[1] + late)


def test_the_number_of_events_and_their_overlap_are_set():
    def known(source):
        return flags(source.shown.seen) | flags(source.sound.heard)

    for overlap in (0.0, 1.0):
        plans = plans_of(replace(SEVERAL, overlap=overlap), 200)
        counts = [len(plan.sources) for plan in plans]
        assert all(0.25 <= counts.count(n) / len(counts) <= 0.42 for n in (1, 2, 3))
        for plan in plans:
            assert len({source.class_index for source in plan.sources}) == len(plan.sources)
            first, *others = map(known, plan.sources)
            if overlap:
                assert all((first & other).any() for other in others)
            else:
                assert np.sum([first, *others], axis=0).max() == 1


@given(
    st.integers(1, 5),
    st.tuples(*[st.floats(0, 0.33)] * 3),
    st.integers(1, 6),
    st.floats(0, 1),
    st.integers(4, 20),
    st.integers(0, 10**6),
)
def test_any_settings_make_events_that_fit_or_are_refused(n, shares, late, overlap, length, k):
    settings = {"events": n, "late_seconds": late, "overlap": overlap, "seconds": length}
    settings |= dict(zip(("heard_only", "seen_only", "late"), shares, strict=True))
    needed = (n if overlap < 1 else 1) * (2 + late * (shares[2] > 0))
    if (n > 1 or sum(shares) > 0) and needed > length:
        with pytest.raises(UsageError, match="do not fit"):
            SynthesisConfig(**settings)
        return
    config = SynthesisConfig(**settings)
    plan = compose(config, "val", k)
    assert 1 <= len(plan.sources) <= n
    for source in plan.sources:
        for start, end in {source.shown.seen, source.sound.heard} - {(0, 0)}:
            assert 0 <= start < start + 2 <= end <= length


@pytest.mark.parametrize("share", SHARES)
def test_the_share_of_disagreement_is_as_asked(share):
    config = replace(QUIET, inconsistent_seconds=share)
    truths = []
    for plan in plans_of(config, 200):
        # by hand, from what is drawn and played; not by `senses_of`
        heard, seen = np.zeros((2, 6, 10), dtype=bool)
        for sound in plan.sounds:
            heard[sound.class_index] |= flags(sound.heard)
        for item in plan.objects:
            seen[item.class_index] |= flags(item.seen)
        differs = (heard != seen).any(axis=0)
        np.testing.assert_array_equal(differs, is_inconsistent(senses_of(plan, 10, DRAWN), 10))
        # the event is where its class is heard and seen, and nothing else is ever both
        index = plan.sources[0].class_index
        np.testing.assert_array_equal(heard[index] & seen[index], flags(plan.event))
        assert (heard & seen).sum() == flags(plan.event).sum()
        truths.append(differs)
    assert np.mean(truths) == pytest.approx(share, abs=0.02)


def test_shares_differ_in_disagreement_only():
    of_share = [plans_of(replace(QUIET, inconsistent_seconds=share)) for share in SHARES]
    for plans in zip(*of_share, strict=True):
        assert len({plan.event for plan in plans}) == 1
        assert len({(plan.seed, plan.noise) for plan in plans}) == 1
        sources = [plan.sources[0] for plan in plans]
        assert len({replace(source.shown, seen=(0, 0)) for source in sources}) == 1
        assert len({replace(source.sound, heard=(0, 0)) for source in sources}) == 1
        differs = [is_inconsistent(senses_of(plan, 10, DRAWN), 10) for plan in plans]
        for fewer, more in pairwise(differs):
            assert not (fewer & ~more).any()


def test_without_disagreement_there_is_the_event_and_nothing_else():
    config = replace(QUIET, inconsistent_seconds=0.0)
    for plan in plans_of(config, 6):
        blank = replace(plan, sources=(replace(plan.sources[0], shown=unseen(plan.sources[0])),))
        pictures = (np.stack(list(frames(one, config))) for one in (plan, blank))
        differs = np.not_equal(*pictures).reshape(10, -1).any(axis=1)
        level = np.sqrt((soundtrack(plan, config).reshape(10, -1) ** 2).mean(axis=1))
        np.testing.assert_array_equal(differs, flags(plan.event))
        np.testing.assert_array_equal(level > 1e-4, flags(plan.event))


def test_a_data_set_of_disagreement_has_aves_layout_and_says_its_share(tmp_path):
    config = replace(TINY, inconsistent_seconds=0.5)
    made = synthesize(tmp_path, config, workers=0)
    assert load_dataset(tmp_path) == made
    assert made.labels.kind == "exclusive"
    senses = find_senses(tmp_path)
    share = np.mean([is_inconsistent(senses[name], 6) for name in made.videos])
    measured = json.loads((tmp_path / "synthesis.json").read_text())["measured"]
    assert measured["inconsistent_seconds"]["all"] == pytest.approx(share, abs=1e-4)
    with pytest.raises(OutputError, match=r"made with inconsistent_seconds 0\.5"):
        synthesize(tmp_path, TINY, workers=0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"heard_only": 0.6, "seen_only": 0.6}, "add up to 1.2"),
        ({"events": 4}, "need as many classes"),
        ({"events": 3, "late": 0.1, "late_seconds": 3, "seconds": 10}, "do not fit into 10 s"),
        ({"late": 0.5, "late_seconds": 9, "seconds": 10}, "do not fit"),
        ({"inconsistent_seconds": -0.5}, "is -0.5"),
        ({"inconsistent_seconds": 0.5, "events": 2}, "clips of one event"),
        ({"inconsistent_seconds": 0.5, "n_classes": 2}, "needs 3 classes"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(given, said):
    with pytest.raises(UsageError, match=said):
        SynthesisConfig(**{"n_classes": 3, **given})


def test_a_foreign_manifest_is_left_alone(tmp_path):
    (tmp_path / "manifest.csv").write_text("video\na.mp4\n")
    with pytest.raises(OutputError, match="holds a data set that was not synthesised"):
        synthesize(tmp_path, SEVERAL, workers=0)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.csv"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", '{"a": 3}', '{"a": {"x": [1]}}', '{"a": {"x": {"heard": [1]}}}'),
        '{"a": {"x": {"heard": [1], "seen": [2]}}}',
        '{"a": {"x": {"heard": [1, 0], "seen": [1]}}}',
    ],
)
def test_damaged_senses_are_named(tmp_path: Path, text: str):
    (tmp_path / "senses.json").write_text(text)
    with pytest.raises(DatasetError, match=r"senses.json: holds no senses"):
        read_senses(tmp_path / "senses.json")
    assert find_senses(tmp_path / "nowhere") is None
