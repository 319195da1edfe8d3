"""``avloc eval``: decoders, boxes, and two models of one modality each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Ended, Shell
from workspaces import SmallWorkspace

import avloc


@pytest.fixture(scope="module")
def single_modality(small_workspace: SmallWorkspace) -> SmallWorkspace:
    """The small workspace with a model that only hears and one that only sees."""
    for modality in ("audio", "visual"):
        avloc.train(
            artifacts=small_workspace.artifacts,
            name=f"only-{modality}",
            epochs=1,
            set={"modalities": modality, "where": False, "which": False, "width": 32},
        )
    return small_workspace


def words(ended: Ended) -> str:
    assert ended.code == 0, ended.err
    return " ".join(ended.out.split())


def test_the_table_names_its_decoder(avloc: Shell, small_workspace: SmallWorkspace) -> None:
    place = ("eval", "--artifacts", small_workspace.artifacts)
    assert "decoder 'segment', argmax per segment" in words(avloc(*place))
    by_video = avloc(*place, "--decode", "video", "--per-class")
    assert words(by_video).count("decoder 'video', one class per video") == 2
    numbers = json.loads(avloc(*place, "--decode", "video", "--format", "json").out)
    assert numbers["decode"] == "video"
    ended = avloc(*place, "--decode", "vidoe")
    assert ended.code == 2
    assert "Did you mean 'video'?" in ended.err


def test_the_data_sets_own_boxes_are_measured(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    place = ("eval", "--artifacts", small_workspace.artifacts)
    shown = words(avloc(*place))
    assert shown.count("always the centre") == 2
    assert "at least half of its maximum" in shown
    assert "above its median" in shown
    numbers = json.loads(avloc(*place, "--format", "json").out)
    assert set(numbers["spatial"]) == {"half", "median"}
    assert set(numbers["spatial"]["half"]) == {"attention", "centre"}
    assert numbers["cross_modal"] is None
    video_id = next(name for name in json.loads((small_workspace.data / "boxes.json").read_text()))
    other = tmp_path / "none.json"
    other.write_text(json.dumps({f"not {video_id}": [[0, 0, 1, 1]]}))
    ended = avloc(*place, "--spatial", other)
    assert ended.code == 2
    assert "of other videos" in ended.err
    assert avloc(*place, "--spatial", tmp_path / "missing.json").code == 1


def test_a_model_without_attention_has_no_such_table(
    avloc: Shell, single_modality: SmallWorkspace
) -> None:
    place = ("eval", "--artifacts", single_modality.artifacts, "--model", "only-audio")
    assert "centre" not in words(avloc(*place))
    ended = avloc(*place, "--spatial", single_modality.data / "boxes.json")
    assert ended.code == 2
    assert "no spatial attention" in ended.err


def test_matching_across_modalities(avloc: Shell, single_modality: SmallWorkspace) -> None:
    place = ("eval", "--artifacts", single_modality.artifacts)
    first = avloc(*place, "--model", "only-audio", "--match", "only-visual", "--format", "json")
    second = avloc(*place, "--model", "only-visual", "--match", "only-audio", "--format", "json")
    numbers = json.loads(first.out)["cross_modal"]
    assert numbers == json.loads(second.out)["cross_modal"]
    assert (numbers["audio"], numbers["visual"]) == ("only-audio", "only-visual")
    shown = words(avloc(*place, "--model", "only-audio", "--match", "only-visual"))
    for name in ("A2V", "V2A", "chance", "always first", "always last"):
        assert name in shown
    ended = avloc(*place, "--match", "only-audio")
    assert ended.code == 2
    assert "cman uses both, only-audio uses audio" in ended.err


def test_a_removed_modality_is_named_and_has_no_map(
    avloc: Shell, small_workspace: SmallWorkspace
) -> None:
    place = ("eval", "--artifacts", small_workspace.artifacts)
    heard = words(avloc(*place, "--without", "visual"))
    assert "picture taken away" in heard
    assert "centre" not in heard
    assert "centre" in words(avloc(*place, "--without", "audio"))
    names = {path.name for path in (small_workspace.artifacts / "predictions").iterdir()}
    assert {"cman-test-without-visual.h5", "cman-test-without-audio.h5"} <= names
    ended = avloc(*place, "--without", "vision")
    assert ended.code == 2
    assert "There are: audio, visual" in ended.err
