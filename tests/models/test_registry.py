"""Models by name, and between memory and file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from avloc.artifacts import ModelFile
from avloc.devices import choose_device
from avloc.errors import ArtifactError, UnknownNameError, UsageError
from avloc.labels import LabelSet
from avloc.models import build, list_models, restore, state_arrays
from avloc.spec import FeatureSpec

SIZES = {"visual_channels": 8, "audio_channels": 6, "n_classes": 3}


def model_file(model) -> ModelFile:
    return ModelFile(
        name="cman",
        config=model.config,
        weights=state_arrays(model),
        labels=LabelSet(("bell", "bark")),
        spec=FeatureSpec("", "", "", ""),
        supervision="full",
        n_segments=10,
        segment_seconds=1.0,
        metrics={},
        seed=0,
        data={},
    )


@pytest.mark.parametrize(("kind", "temperatures"), [("exclusive", (2,)), ("independent", (0.5, 4))])
def test_a_restored_model_divides_its_logits_by_the_files_temperatures(kind, temperatures):
    labels = LabelSet(("bell", "bark"), kind=kind)
    sizes = SIZES | {"n_classes": labels.n_logits, "independent": kind == "independent"}
    file = model_file(build("cman", **sizes, width=8))
    model = restore(replace(file, labels=labels, temperatures=temperatures))
    logits = np.array([[1.0, -3.0, 0.5]], np.float32)[:, : labels.n_logits]
    if kind == "exclusive":
        odds = np.exp(logits / 2)
        expected = (odds / odds.sum())[:, :2]
    else:
        expected = 1 / (1 + np.exp(-logits / [0.5, 4]))
    scores = model.probabilities(torch.from_numpy(logits))
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_an_unknown_model_is_refused_with_the_nearest_name():
    assert "cman" in list_models()
    with pytest.raises(UnknownNameError, match="cmann") as caught:
        build("cmann", **SIZES)
    assert "'cman'" in caught.value.hint


def test_options_may_be_text():
    model = build("cman", **SIZES, width="32", where="false", dropout="0", gate="raw")
    assert model.config["width"] == 32
    assert model.config["where"] is False
    assert model.config["dropout"] == 0.0


def test_a_config_builds_the_same_model_again():
    model = build("cman", **SIZES, width=16, memory="raw", temperature=3)
    again = build("cman", **model.config)
    assert again.config == model.config
    assert {n: w.shape for n, w in again.state_dict().items()} == {
        n: w.shape for n, w in model.state_dict().items()
    }


def test_a_restored_model_answers_the_same():
    torch.manual_seed(0)
    model = build("cman", **SIZES, width=16).eval()
    model.scale_audio.fit(torch.full((6,), 0.5), torch.full((6,), 2.0))
    visual, audio = torch.randn(2, 4, 3, 3, 8), torch.randn(2, 4, 6)
    restored = restore(model_file(model))
    assert torch.equal(restored(visual, audio).logits, model(visual, audio).logits)
    assert not restored.training
    assert not any(parameter.requires_grad for parameter in restored.parameters())


def test_state_arrays_are_copies():
    model = build("cman", **SIZES, width=16)
    kept = state_arrays(model)["head.0.weight"].copy()
    arrays = state_arrays(model)
    torch.nn.init.zeros_(model.head[0].weight)
    np.testing.assert_array_equal(arrays["head.0.weight"], kept)


@pytest.mark.parametrize("change", ["missing", "shape"])
def test_weights_that_do_not_fit_are_refused(change):
    file = model_file(build("cman", **SIZES, width=16))
    weights = dict(file.weights)
    if change == "missing":
        del weights["head.0.bias"]
    else:
        weights["head.0.bias"] = np.zeros(3, np.float32)
    with pytest.raises(ArtifactError, match=r"head\.0\.bias"):
        restore(replace(file, weights=weights))


def test_a_device_that_is_not_there_is_refused():
    assert choose_device("auto").type in ("cpu", "cuda")
    with pytest.raises(UsageError, match="abacus"):
        choose_device("abacus")


def test_a_channel_that_never_varies_is_not_blown_up():
    scaling = build("cman", **SIZES).scale_audio
    scaling.fit(torch.zeros(6), torch.tensor([0.0, 1.0, 2.0, 1.0, 2.0, 3.0]))
    assert scaling(torch.ones(1, 1, 6)).max() == pytest.approx(1 / 0.15)
    scaling.fit(torch.zeros(6), torch.zeros(6))
    assert torch.equal(scaling(torch.ones(1, 1, 6)), torch.ones(1, 1, 6))
