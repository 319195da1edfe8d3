"""The stage ``open``: words to a model, and what it answers with the real small pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_encoders import Film

import avloc
from avloc.artifacts import read_model
from avloc.artifacts.model_file import identity_of, model_identity
from avloc.errors import DependencyError, UsageError, WeightsError
from avloc.features import WeightsPolicy
from avloc.features.heads import audio_head, visual_head
from avloc.models import restore
from avloc.stages import label_heads, open_model
from avloc.stages.open_model import frame_rate, make_open_model
from avloc.vocabulary import SOUNDING_THINGS

NO_WEIGHTS = WeightsPolicy(offline=True)


@pytest.fixture
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of weights: of the small pair the picture's are there, the sound's not."""
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    return tmp_path / "cache"


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return Film(seconds=3).write(tmp_path / "film.mp4")


def test_its_heads_are_the_encoders_own(tagger_weights: Path) -> None:
    policy = WeightsPolicy(tagger_weights, offline=True)
    model = restore(make_open_model(["dog barking", "siren"], policy=policy).file)
    torch.manual_seed(0)
    sound, cells = torch.rand(4, 384), torch.rand(4, 49, 320)
    expected = audio_head("efficientat-mn04", policy)(sound)
    torch.testing.assert_close(model.audio_head(sound), expected)
    expected = visual_head("efficientnet-lite0", policy)(cells).log_softmax(-1)
    torch.testing.assert_close(model.visual_head(cells), expected)


def test_the_same_words_give_the_same_model_in_memory_and_as_a_file(
    tagger_weights: Path, tmp_path: Path
) -> None:
    given = {"labels": [" dog  barking ", "siren", "siren"], "weights": tagger_weights}
    made = avloc.open_model(**given, offline=True, artifacts=tmp_path)
    assert made.path == tmp_path / "models" / "open.h5"
    assert made.file.labels.names == ("dog barking", "siren")
    assert identity_of(made.file) == model_identity(made.path)
    policy = WeightsPolicy(tagger_weights, offline=True)
    again = make_open_model(["dog barking", "siren"], policy=policy)
    assert identity_of(again.file) == model_identity(made.path)
    assert read_model(made.path).supervision == "none"


def test_a_bark_is_heard_and_a_dog_is_seen(tagger_weights: Path, real_data: Path) -> None:
    clip = real_data / "annotated" / "3qesirWAGt4_20000_30000.mp4"
    labels = ["dog barking", "speech", "siren", "piano"]
    policy = WeightsPolicy(tagger_weights, offline=True)
    timeline = make_open_model(labels, policy=policy).localizer()(clip)
    scores = timeline.clip_scores()
    assert scores[0].label == "dog barking"
    assert scores[0].score > 0.9
    assert {entry.label: entry.seen is None for entry in scores}["speech"]
    [dog] = [event for event in timeline if event.label == "dog barking"][:1]
    assert None not in (dog.heard, dog.seen)
    speech = [event for event in timeline if event.label == "speech"]
    assert all(event.sense == "heard" and event.seen is None for event in speech)
    assert timeline.rival is not None
    assert timeline.rival.label not in labels
    np.testing.assert_allclose(timeline.attention.sum((1, 2)), 1, rtol=1e-4)


def test_without_the_sounds_weights_the_picture_answers(
    no_cache: Path, film: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    [answer] = avloc.localize(
        film,
        labels=["dog barking", "violin"],
        offline=True,
        artifacts=tmp_path / "none",
        write=False,
        notice=said.append,
    )
    assert answer.error is None
    scores = answer.timeline.clip_scores()
    assert all(entry.heard is None and entry.seen is not None for entry in scores)
    [line] = [line for line in said if "picture alone" in line]
    for words in (
        "mn04_as_mAP_432.pt",
        "https://github.com/fschmid56/EfficientAT/releases",
        "899a8c6217063f6941793102a2780b3dd788ab11fce468d9cf5f0577c453321c",
        str(no_cache / "weights"),
    ):
        assert words in line
    assert not (tmp_path / "none").exists()


def test_without_the_sounds_weights_what_can_only_be_heard_is_an_error(no_cache: Path) -> None:
    with pytest.raises(WeightsError, match="mn04"):
        make_open_model(["speech"], policy=NO_WEIGHTS)
    made = make_open_model(["speech", "dog"], policy=NO_WEIGHTS)
    assert any("'speech' matches nothing" in note for note in made.notes)


def test_without_any_weights_there_is_no_answer(
    no_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_picture(monkeypatch)
    with pytest.raises(WeightsError, match="mn04"):
        make_open_model(["dog"], policy=NO_WEIGHTS)


def test_without_the_pictures_weights_the_sound_answers(
    tagger_weights: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_picture(monkeypatch)
    policy = WeightsPolicy(tagger_weights, offline=True)
    made = make_open_model(["dog barking", "siren"], policy=policy)
    assert made.notes[0].startswith("answers from the sound alone: no timm.")
    timeline = made.localizer()(film)
    assert timeline.seen is None
    assert timeline.heard is not None
    assert timeline.attention is None


def without_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise DependencyError("no timm", "Install it.")

    kind, _, moments = label_heads._TAGGERS["visual"]
    monkeypatch.setitem(label_heads._TAGGERS, "visual", (kind, missing, moments))


def test_silence_is_no_event(tagger_weights: Path, tmp_path: Path) -> None:
    silent = Film(seconds=3, has_sound=False).write(tmp_path / "silent.mp4")
    policy = WeightsPolicy(tagger_weights, offline=True)
    made = make_open_model(["speech", "siren", "dog"], policy=policy)
    timeline = made.localizer()(silent)
    assert "no_audio" in timeline.flags
    assert timeline.heard is None
    speech = {entry.label: entry for entry in timeline.clip_scores()}["speech"]
    assert (speech.heard, speech.seen) == (None, None)
    assert speech.score < 1e-6


def test_words_that_mean_nothing_are_said(no_cache: Path) -> None:
    made = make_open_model(["dog", "qwxyz"], policy=NO_WEIGHTS)
    assert made.notes[-1].startswith("'qwxyz' matches nothing")
    with pytest.raises(UsageError, match="a label is empty"):
        make_open_model(["dog", " "], policy=NO_WEIGHTS)
    with pytest.raises(UsageError, match="'background' is the background"):
        make_open_model(["background"], policy=NO_WEIGHTS)


def test_where_no_word_means_anything_it_is_an_error(tagger_weights: Path) -> None:
    with pytest.raises(UsageError, match="no label matches") as refused:
        make_open_model(["qwxyz"], policy=WeightsPolicy(tagger_weights, offline=True))
    assert "'qwxyz'" in refused.value.hint


def test_without_words_it_looks_for_sounding_things(no_cache: Path) -> None:
    made = make_open_model(policy=NO_WEIGHTS)
    assert made.file.labels.names == SOUNDING_THINGS
    assert set(made.file.thresholds) == {open_model.VOCABULARY_THRESHOLD}
    assert len(made.notes) == 1


def test_a_thousand_labels_work(no_cache: Path, film: Path) -> None:
    from avloc.vocabulary import imagenet_names

    names = list(dict.fromkeys(name.split(", ")[0] for name in imagenet_names()))
    made = make_open_model(names, policy=NO_WEIGHTS)
    timeline = made.localizer()(film)
    assert timeline.scores.shape == (3, len(names))
    assert np.isfinite(timeline.scores).all()


@pytest.mark.parametrize(
    ("seconds", "rate"), [(1, 2), (0.5, 2), (0.25, 4), (0.1, 10), (2, 2), (0.3, 10), (1.5, 2)]
)
def test_a_segment_has_a_whole_number_of_frames(seconds: float, rate: int) -> None:
    assert frame_rate(seconds) == rate
