"""``avloc label``: what is written is what ``avloc train`` reads."""

from __future__ import annotations

import csv
import json
from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from workspaces import SmallWorkspace

import avloc
from avloc.datasets import load_dataset
from avloc.errors import AvlocError, MediaError, OutputError, UnknownNameError, UsageError
from avloc.labels import LabelSet
from avloc.stages.label import split_of
from avloc.stages.localize.run import LocalizedVideo
from avloc.timeline import Event, Grid, Timeline

INDEPENDENT = LabelSet(("dog, barking", "siren"), kind="independent")


def answer(video: Path, events: tuple[Event, ...], video_id: str = "") -> LocalizedVideo:
    """An answer of a model with independent labels."""
    video.parent.mkdir(parents=True, exist_ok=True)
    video.touch()
    grid = Grid(10, Fraction(1))
    scores = np.full((10, 2), 0.5, np.float32)
    timeline = Timeline(
        *(video_id or video.stem, INDEPENDENT, grid, scores, events),
        duration=10.0,
        source=str(video),
        model="open",
    )
    return LocalizedVideo(video, timeline)


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[LocalizedVideo]:
    """Answers that stand in for a model's; a test may add to them."""
    events = (
        Event(0, 3.25, "dog, barking", 0.8, "heard", 0.9, 0.1),
        Event(2, 9.99, "siren", 0.61234, "both", 0.7, 0.7),
    )
    made = [answer(tmp_path / "films/yard.mp4", events), answer(tmp_path / "films/empty.mp4", ())]
    monkeypatch.setattr("avloc.stages.label.localize", lambda *_, **__: made)
    return made


@pytest.mark.parametrize("name", ["manifest.csv", "found.tsv", "found.jsonl"])
def test_the_manifest_is_read_with_events_senses_and_videos(
    tmp_path: Path, answers: list[LocalizedVideo], name: str
) -> None:
    done = avloc.label("films", out=tmp_path / name)
    dataset = load_dataset(tmp_path / name)
    rows = [(r.video_id, r.label, r.start, r.end, r.sense) for r in dataset.rows]
    assert rows == [
        ("yard", "dog, barking", 0, 3.25, "heard"),
        ("yard", "siren", 2, 9.99, "both"),
        ("empty", "", 0, 0, "unknown"),
    ]
    assert dataset.labels.kind == "independent"
    assert dataset.videos == {a.video.stem: a.video for a in answers}
    assert dataset.ignored_fields == ()
    assert dataset == done.dataset
    assert "films/yard.mp4" in (tmp_path / name).read_text("utf-8")
    assert str(tmp_path) not in (tmp_path / name).read_text("utf-8")  # the folder may be moved


def test_videos_elsewhere_are_named_by_their_whole_path(
    tmp_path: Path, answers: list[LocalizedVideo]
) -> None:
    avloc.label("films", out=tmp_path / "labels/manifest.csv")
    with (tmp_path / "labels/manifest.csv").open(newline="") as file:
        named = [row["video"] for row in csv.DictReader(file)]
    assert named[0] == str(tmp_path / "films/yard.mp4")
    assert load_dataset(tmp_path / "labels").coverage.missing == ()


def test_videos_with_one_name_get_ids_of_their_own(
    tmp_path: Path, answers: list[LocalizedVideo]
) -> None:
    for folder in ("a", "b"):
        video = tmp_path / folder / "clip.mp4"
        answers.append(answer(video, (), video.as_posix()))
    done = avloc.label("films", out=tmp_path / "manifest.csv")
    assert done.dataset.coverage.present == 4


def test_a_corrected_manifest_is_never_replaced(
    tmp_path: Path, answers: list[LocalizedVideo]
) -> None:
    out = tmp_path / "manifest.csv"
    avloc.label("films", out=out)
    avloc.label("films", out=out)  # as avloc wrote it: replaced
    corrected = out.read_text().replace("siren", "horn")
    out.write_text(corrected)
    with pytest.raises(OutputError, match="changed since avloc wrote it"):
        avloc.label("films", out=out)
    assert out.read_text() == corrected


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.label-studio.json"])
def test_files_of_others_are_never_replaced(
    tmp_path: Path, answers: list[LocalizedVideo], name: str
) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match="was not written by avloc"):
        avloc.label("films", out=tmp_path / "manifest.csv", format=["label-studio"])
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_tasks_say_the_same_as_the_manifest(tmp_path: Path, answers: list[LocalizedVideo]) -> None:
    done = avloc.label(
        "films", out=tmp_path / "m.csv", format=["label-studio"], val_share=0.99, test_share=0
    )
    tasks = load_dataset(done.written[1])
    assert [(r.video_id, r.label, r.start, r.end, r.split, r.sense) for r in tasks.rows] == [
        (r.video_id, r.label, r.start, r.end, r.split, r.sense) for r in done.dataset.rows
    ]
    assert {task["data"]["split"] for task in json.loads(done.written[1].read_text())} == {"val"}


def test_splits_follow_from_ids_and_have_the_shares_asked_for() -> None:
    names = [f"video{n}" for n in range(2000)]
    counts = Counter(split_of(name, 0.2, 0.1) for name in names)
    # four standard deviations of a binomial count
    assert abs(counts["val"] - 400) < 4 * (2000 * 0.2 * 0.8) ** 0.5
    assert abs(counts["test"] - 200) < 4 * (2000 * 0.1 * 0.9) ** 0.5
    assert [split_of(name, 0, 0) for name in names[:9]] == ["train"] * 9


def test_labels_without_an_event_are_named(tmp_path: Path, answers: list[LocalizedVideo]) -> None:
    del answers[0]
    done = avloc.label("films", out=tmp_path / "manifest.csv", labels=["siren"])
    assert done.unfound == ("siren",)


def test_a_video_that_fails_is_left_out(tmp_path: Path, answers: list[LocalizedVideo]) -> None:
    answers.append(LocalizedVideo(tmp_path / "bad.mp4", error=MediaError("bad.mp4 is damaged")))
    done = avloc.label("films", out=tmp_path / "manifest.csv")
    assert [failure.video.name for failure in done.failed] == ["bad.mp4"]
    assert "bad" not in (tmp_path / "manifest.csv").read_text()


def test_nothing_is_written_if_no_video_has_an_answer(
    tmp_path: Path, answers: list[LocalizedVideo]
) -> None:
    answers[:] = [LocalizedVideo(tmp_path / "bad.mp4", error=MediaError("bad.mp4 is damaged"))]
    with pytest.raises(AvlocError, match=r"no video has an answer.*bad.mp4 is damaged"):
        avloc.label("films", out=tmp_path / "manifest.csv")
    assert not (tmp_path / "manifest.csv").exists()


def test_a_name_that_no_line_can_hold_is_an_error_of_its_video(
    tmp_path: Path, answers: list[LocalizedVideo]
) -> None:
    answers.append(answer(tmp_path / "films/two\nlines.mp4", ()))
    done = avloc.label("films", out=tmp_path / "manifest.csv")
    assert "cannot name the file" in str(done.failed[0].error)
    assert len(done.failed) == 1
    assert done.dataset.coverage.present == 2


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"out": "manifest.xlsx"}, UnknownNameError, "manifest with the suffix"),
        ({"out": "manifest"}, UnknownNameError, "manifest with the suffix"),
        ({"val_share": 0.5, "test_share": 0.5}, UsageError, "no video to train on"),
        ({"val_share": -0.1}, UsageError, "Shares are at least 0"),
        ({"val_share": float("nan")}, UsageError, "Shares are at least 0"),
        ({"format": ["elan"]}, UnknownNameError, "format of tasks"),
    ],
)
def test_bad_arguments_end_before_any_work(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, object],
    kind: type[AvlocError],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=words):
        avloc.label("films", **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_trained_model_labels_and_its_labels_train(
    small_workspace: SmallWorkspace, tmp_path: Path, models_load_once: None
) -> None:
    workspace = small_workspace.with_artifacts_at(tmp_path / "artifacts")
    shown = workspace.clips[:6]
    done = avloc.label(
        shown, artifacts=workspace.artifacts, out=tmp_path / "found.csv", val_share=0.2
    )
    assert done.dataset.labels.kind == "exclusive"  # as the model's
    found = {
        video.stem: avloc.localize(video, artifacts=workspace.artifacts, write=False)[0]
        for video in shown
    }
    for video_id, localized in found.items():
        assert localized.timeline is not None
        expected = [(e.start, e.end, e.label) for e in localized.timeline]
        events = done.dataset.events_of(video_id) or ()
        assert [(e.start, e.end, e.label) for e in events] == expected
    trained = avloc.train(
        artifacts=workspace.artifacts, dataset=tmp_path / "found.csv", name="own", epochs=1
    )
    assert trained.model.labels.names == done.dataset.labels.names
