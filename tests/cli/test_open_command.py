"""``avloc open`` and ``avloc localize`` without a trained model, at the shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Shell
from tiny_encoders import Film
from workspaces import SmallWorkspace


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A video in an empty folder, in which the user is."""
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return Film(seconds=3).write(tmp_path / "film.mp4")


def test_an_empty_folder_is_enough_and_stays_empty(
    avloc: Shell, film: Path, tagger_weights: Path
) -> None:
    asked = ("--label", "dog barking", "--label", "siren", "--label", "speech")
    where = ("--weights", tagger_weights, "--offline")
    ended = avloc("localize", film, *asked, *where, "--out", "-", "--format", "json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    assert document["labels"] == ["dog barking", "siren", "speech"]
    scores = document["clip_scores"]
    assert {entry["label"] for entry in scores} == set(document["labels"])
    assert scores == sorted(scores, key=lambda entry: -entry["score"])
    assert {entry["label"]: entry["seen"] for entry in scores}["speech"] is None
    assert ended.err.splitlines()[0] == (
        "no trained model in artifacts: the model open answers without training"
    )
    assert "known only where heard, since nothing seen matches: speech" in ended.err
    assert "without an event, by best score:" in ended.err
    assert not list(Path.cwd().iterdir())


def test_the_model_is_shown_written_and_used(
    avloc: Shell, film: Path, tagger_weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "more.txt").write_text("siren\n\nqwxyz\n")
    (tmp_path / "map.toml").write_text('[siren]\nseen = []\nheard = ["Siren"]\n')
    where = ("--weights", tagger_weights, "--offline")
    more = ("--labels-file", tmp_path / "more.txt", "--map", tmp_path / "map.toml")
    ended = avloc("open", "--label", "dog barking", *more, *where, "--show")
    assert ended.code == 0, ended.err
    shown = " ".join(ended.out.split())
    for words in ("Bark 1", "Chihuahua", "Siren 1 (map file)", "abstains: seen", "matches nothing"):
        assert words in shown
    assert "'qwxyz' matches nothing" in ended.err
    assert ended.err.endswith("wrote artifacts/models/open.h5\n")
    first = avloc("localize", film, *where, "--keep", 0, "-o", "-", "--format", "json")
    assert json.loads(first.out)["labels"] == ["dog barking", "siren", "qwxyz"]
    part = avloc("localize", film, *where, "--label", "siren", "-o", "-", "--format", "json")
    assert json.loads(part.out)["labels"] == ["dog barking", "siren", "qwxyz"]
    assert part.err.endswith("without an event, by best score: siren 0.01\n") or "siren" in part.err
    other = avloc("localize", film, *where, "--label", "cat", "-o", "-", "--format", "json")
    assert json.loads(other.out)["labels"] == ["cat"]


def test_a_finer_grid_is_the_open_models_only(
    avloc: Shell, film: Path, tagger_weights: Path, small_workspace: SmallWorkspace
) -> None:
    where = ("--weights", tagger_weights, "--offline", "-o", "-", "--segment-seconds", 0.25)
    ended = avloc("localize", film, *where, "--label", "dog", "--format", "json")
    assert ended.code == 0, ended.err
    assert len(json.loads(ended.out)["segments"]) == 12
    place = ("--artifacts", small_workspace.artifacts)
    ended = avloc("localize", film, *where, *place)
    assert ended.code == 2
    assert "has segments of 1 s" in ended.err
    ended = avloc("localize", film, *where, *place, "--model", "open", "--label", "dog")
    assert ended.code == 0, ended.err
    assert "no trained model" not in ended.err


def test_pictures_and_a_page_are_made_of_its_answers(
    avloc: Shell, film: Path, tagger_weights: Path, tmp_path: Path
) -> None:
    where = ("--weights", tagger_weights, "--offline", "--out", tmp_path / "out")
    made = ("--heatmap", "--figure", "png", "--format", "elan", "--format", "label-studio")
    page = tmp_path / "page.html"
    command = ("localize", film, "--label", "dog", "--label", "music", "--threshold", 0.01)
    ended = avloc(*command, *where, *made, "--report", page)
    assert ended.code == 0, ended.err
    for suffix in ("avloc.h5", "heatmap.mp4", "avloc.figure.png", "avloc.eaf"):
        assert (tmp_path / "out" / f"film.{suffix}").exists()
    assert page.exists()
    assert "already there" in avloc(*command, *where).err


def test_it_is_not_trained(avloc: Shell, small_workspace: SmallWorkspace) -> None:
    ended = avloc("train", "--model", "open", "--artifacts", small_workspace.artifacts)
    assert ended.code == 2
    assert "the model open is not trained" in ended.err
    assert ended.err.count("\n") == 1
