"""Which answers and heat maps are kept: by what they follow from, not by which file is newest."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from format2_files import write_localization_2
from workspaces import SmallWorkspace

import avloc
from avloc.artifacts import ModelFile, localization_key, read_localization, read_model, write_model
from avloc.errors import ArtifactError, FingerprintError, UnknownNameError, WeightsError
from avloc.media import comment_of
from avloc.spec import PUBLISHED_VISUAL
from avloc.stages.localize.run import LocalizedVideo

pytestmark = pytest.mark.usefixtures("models_load_once")


@pytest.fixture
def clip(small_workspace: SmallWorkspace, tmp_path: Path) -> Path:
    """One video in a folder of its own."""
    return Path(shutil.copy(small_workspace.clips[0], tmp_path / "clip.mp4"))


@pytest.fixture
def model(small_workspace: SmallWorkspace) -> ModelFile:
    """The small workspace's model."""
    return read_model(small_workspace.artifacts / "models" / "cman.h5")


def other(model: ModelFile) -> ModelFile:
    """Return a model that gives other scores."""
    return replace(model, temperatures=(model.temperatures[0] * 2,))


def test_a_heat_map_of_a_kept_answer_is_not_taken_for_the_new_models(
    model: ModelFile, clip: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    write_model(first, model)
    write_model(second, other(model))

    def run(path: Path, **options: object) -> LocalizedVideo:
        [answer] = avloc.localize(clip, model=path, **options)
        return answer

    run(first)
    kept = run(second, overwrite="never", heatmap=True)
    assert kept.kept == (tmp_path / "clip.avloc.h5",)
    stamp = comment_of(tmp_path / "clip.heatmap.mp4")
    # the map shows the first model's answer, so for the first model it holds
    assert tmp_path / "clip.heatmap.mp4" in run(first, heatmap=True).kept
    assert comment_of(tmp_path / "clip.heatmap.mp4") == stamp
    assert tmp_path / "clip.heatmap.mp4" in run(second, heatmap=True).written
    assert comment_of(tmp_path / "clip.heatmap.mp4") != stamp


def test_never_keeps_whatever_is_there(model: ModelFile, clip: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "model.h5", model)
    options = {"model": tmp_path / "model.h5", "heatmap": True, "format": ["csv"], "figure": "svg"}
    [first] = avloc.localize(clip, **options)
    stamps = {path: path.stat().st_mtime_ns for path in first.written}
    [again] = avloc.localize(clip, **options, overwrite="never", alpha=0.1)
    assert (again.written, set(again.kept)) == ((), set(first.written))
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    next(iter(stamps)).with_name("clip.avloc.csv").unlink()
    [filled] = avloc.localize(clip, **options, overwrite="never")
    assert [path.name for path in filled.written] == ["clip.avloc.csv"]


def test_training_again_to_the_same_weights_leaves_answers_valid(
    model: ModelFile, clip: Path, tmp_path: Path
) -> None:
    path, answer = tmp_path / "model.h5", tmp_path / "clip.avloc.h5"
    write_model(path, model)
    avloc.localize(clip, model=path)
    key = localization_key(answer)
    longer = {name: [*column, 0.5] for name, column in model.history.items()}
    write_model(path, replace(model, history=longer, metrics={"seconds": 12.0}))
    assert avloc.localize(clip, model=path)[0].kept == (answer,)
    array = next(iter(model.weights))
    changes = [
        {"temperatures": (model.temperatures[0] * 1.5,)},
        {"weights": {**model.weights, array: model.weights[array] * 1.01}},
    ]
    for change in changes:
        write_model(path, replace(model, **change))
        assert avloc.localize(clip, model=path)[0].written == (answer,)
        assert localization_key(answer) != key


@pytest.mark.parametrize("overwrite", ["stale", "never"])
def test_an_answer_of_an_older_version_is_made_anew(
    model: ModelFile, clip: Path, tmp_path: Path, overwrite: str
) -> None:
    path, answer = tmp_path / "model.h5", tmp_path / "clip.avloc.h5"
    write_model(path, model)
    avloc.localize(clip, model=path)
    now, key = read_localization(answer), localization_key(answer)
    write_localization_2(answer, key)
    with pytest.raises(ArtifactError, match="localization/2"):
        read_localization(answer)
    assert avloc.localize(clip, model=path, overwrite=overwrite)[0].written == (answer,)
    assert read_localization(answer).events == now.events


def test_an_answer_that_is_there_needs_no_weights(
    model: ModelFile, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.h5"
    write_model(path, model)
    avloc.localize(clip, model=path)

    def no_weights(*_: object, **__: object) -> None:
        raise WeightsError("the weights cannot be had")

    monkeypatch.setattr("avloc.localizer.load", no_weights)  # as without a network
    [answer] = avloc.localize(clip, model=path, format=["srt"])
    assert answer.error is None
    assert (tmp_path / "clip.avloc.srt").is_file()
    # where they are needed, lacking them ends the run: no other video could be answered
    shutil.copy(clip, tmp_path / "another.mp4")
    seen: list[LocalizedVideo] = []
    with pytest.raises(WeightsError):
        avloc.localize([clip, tmp_path / "another.mp4", clip], model=path, each=seen.append)
    assert [one.video for one in seen] == [clip]


def test_what_a_model_cannot_do_is_refused_before_anything_is_loaded(
    model: ModelFile, clip: Path, tmp_path: Path
) -> None:
    write_model(tmp_path / "model.h5", model)
    with pytest.raises(UnknownNameError, match="barkin"):
        avloc.localize(clip, model=tmp_path / "model.h5", labels=["barkin"])
    published = replace(model, spec=replace(model.spec, visual=PUBLISHED_VISUAL))
    write_model(tmp_path / "published.h5", published)
    with pytest.raises(FingerprintError, match="published features"):
        avloc.localize(clip, model=tmp_path / "published.h5")
    assert not (tmp_path / "clip.avloc.h5").exists()


def test_a_kept_answer_bears_the_videos_present_name(
    model: ModelFile, clip: Path, tmp_path: Path
) -> None:
    write_model(tmp_path / "model.h5", model)
    avloc.localize(clip, model=tmp_path / "model.h5")
    for path in (clip, tmp_path / "clip.avloc.h5"):
        path.rename(path.with_name(path.name.replace("clip", "renamed")))
    [answer] = avloc.localize(tmp_path / "renamed.mp4", model=tmp_path / "model.h5")
    assert answer.kept
    assert answer.timeline.video_id == "renamed"
    assert read_localization(answer.kept[0]).video_id == "clip"


def test_a_video_is_hashed_once(
    small_workspace: SmallWorkspace, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hash_again(_: Path) -> str:
        raise AssertionError("the answer's key has the video's hash already")

    monkeypatch.setattr("avloc.decoding.clip_decoding.sha256_of", hash_again)
    [answer] = avloc.localize(clip, artifacts=small_workspace.artifacts)
    assert answer.error is None
