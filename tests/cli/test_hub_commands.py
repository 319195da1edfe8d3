"""CMAN on CLIP and CLAP features: the commands, with models that know nothing."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from commands import Shell
from hub_server import use_hub
from tiny_encoders import Film
from tiny_hub import COMMIT, SIDE, WIDTH, as_cached, save_clap, save_clip

from avloc.artifacts import FeatureStore, read_model
from avloc.datasets import SynthesisConfig, synthesize
from avloc.spec import FeatureSpec

PAIR = ("--visual", "hf:tiny/clip", "--audio", "hf:tiny/clap")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of weights in the layout of the hub's cache."""
    root = tmp_path_factory.mktemp("hub")
    as_cached(save_clip(root / "clip"), root / "weights", "tiny/clip")
    as_cached(save_clap(root / "clap", "cc-by-nc-4.0"), root / "weights", "tiny/clap")
    return root / "weights"


@pytest.mark.slow
def test_extract_train_and_localize(
    avloc: Shell, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as in a shell, without pytest's
    synthesize(tmp_path / "data", SynthesisConfig(n_train=2, n_val=2, n_test=2, n_classes=2))
    files = ("--weights", weights, "--offline")
    ended = avloc("extract", "data", *PAIR, *files, "--fps", 1, "--segment-seconds", 2)
    assert ended.code == 0, ended.err
    assert ended.err.splitlines()[0] == (
        "hf:tiny/clap: its licence, cc-by-nc-4.0, does not allow commercial use"
    )
    store = FeatureStore.open("artifacts/features")
    spec = store.spec
    assert (spec.visual, spec.audio) == ("hf:tiny/clip", "hf:tiny/clap")
    assert (spec.visual_revision, spec.audio_revision) == (COMMIT, COMMIT)
    assert (spec.visual_licence, spec.audio_licence) == ("mit", "cc-by-nc-4.0")
    assert (spec.size, spec.resize) == ((SIDE, SIDE), "squash-bicubic-antialias")
    assert spec.front_end == "waveform-48000-10s"
    features = store.read(next(iter(store.video_ids())))
    assert features.visual.shape == (5, 4, 4, WIDTH)
    assert features.audio.shape == (5, WIDTH)

    shown = json.loads(avloc("inspect", "artifacts/features", "--format", "json").out)
    assert COMMIT in json.dumps(shown)
    assert avloc("verify", "artifacts/features").code == 0
    ended = avloc("train", "--epochs", 1, "--set", "width=8")
    assert ended.code == 0, ended.err
    assert read_model("artifacts/models/cman.h5").spec == spec

    Film(seconds=4).write(tmp_path / "film.mp4")
    # the model names its encoders; the commit is looked for in the folder
    ended = avloc("localize", "film.mp4", *files, "--out", "-", "--format", "json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["duration"] == 4.0


def test_other_weights_under_the_same_name_are_refused(
    avloc: Shell, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Film(seconds=2).write(tmp_path / "film.mp4")
    pair = ("--visual", "hf:./clip", "--audio", "logmel", "--fps", 1)
    save_clip(tmp_path / "clip")
    assert avloc("extract", "film.mp4", *pair).code == 0
    card = tmp_path / "clip" / "preprocessor_config.json"
    card.write_text(card.read_text().replace("0.48145466", "0.5"))
    ended = avloc("extract", "film.mp4", *pair)
    assert ended.code == 1
    assert "visual_revision: files-" in ended.err
    assert isinstance(FeatureStore.open("artifacts/features").spec, FeatureSpec)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--visual", "hf:clip"), 2, ("does not name a model", "hf:ORG/NAME")),
        (("--visual", "hf:./nothing"), 1, ("nothing", "is not a folder")),
        (("--visual", "hf:tiny/none", "--offline"), 1, ("offline was asked for", "tiny/none")),
        (("--audio", "timm:resnet18"), 2, ("timm:resnet18", "hf:ORG/NAME")),
        (("--visual", "timm:resnet1888"), 2, ("resnet18",)),
        (("--visual", "openai/clip-vit-base-patch16"), 2, ("hf:ORG/NAME",)),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: tuple[str, ...],
    code: int,
    words: tuple[str, ...],
    avloc: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    use_hub("http://127.0.0.1:9", tmp_path / "cache", monkeypatch)
    Film(seconds=1).write(tmp_path / "film.mp4")
    others = () if "--audio" in arguments else ("--audio", "logmel")
    ended = avloc("extract", "film.mp4", *arguments, *others)
    assert ended.code == code
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    for word in words:
        assert word in ended.err
