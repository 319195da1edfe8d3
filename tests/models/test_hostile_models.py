"""A model file's config is believed only as far as its weights bear it out."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib import import_module
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.artifacts import ModelFile
from avloc.errors import ArtifactError
from avloc.labels import LabelSet
from avloc.models import build, restore, state_arrays
from avloc.models.cman import CMANConfig
from avloc.spec import FeatureSpec

module = import_module("avloc.models.restore")  # the package has a function of that name

NETWORK = build("cman", visual_channels=8, audio_channels=6, n_classes=3, width=16)
SOUND = ModelFile(
    name="cman",
    config=NETWORK.config,
    weights=state_arrays(NETWORK),
    labels=LabelSet(("bell", "bark")),
    spec=FeatureSpec("", "", "", ""),
    supervision="full",
    n_segments=10,
    segment_seconds=1.0,
    metrics={},
    seed=0,
    data={},
)


def refusal(file: ModelFile) -> ArtifactError:
    """Return why a file is refused, after checking that nothing was allocated for it."""
    places = []

    def noted(*args: object, **options: object) -> torch.nn.Module:
        places.append(torch.get_default_device().type)
        return build(*args, **options)

    with mock.patch.object(module, "build", noted), pytest.raises(ArtifactError) as caught:
        restore(file)
    assert set(places) <= {"meta"}
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert caught.value.hint
    return caught.value


def test_the_sound_file_is_restored():
    assert restore(SOUND).config == NETWORK.config


@pytest.mark.parametrize(
    "change",
    [
        {"width": 20_000},
        {"width": 10**9},
        {"width": 10**30},
        {"head_width": 10**15},
        {"visual_channels": 10**12},
        {"n_classes": 2**62},
        {"n_classes": "3"},
        {"audio_channels": -1},
        {"width": "wide"},
        {"width": None},
        {"temperature": "nan"},
        {"modalities": ["both"]},
        {"no_such_option": 1},
        {"name": "cman"},
        {"where": False},
    ],
    ids=str,
)
def test_config_that_the_weights_do_not_bear_out_is_refused(change: dict[str, object]):
    refusal(replace(SOUND, config=dict(SOUND.config) | change))


VALUES = st.one_of(
    st.integers(),
    st.integers(10**4, 10**15),
    st.floats(),
    st.booleans(),
    st.text(max_size=5),
    st.none(),
    st.lists(st.integers(), max_size=2),
)


@given(st.sampled_from([field.name for field in fields(CMANConfig)]), VALUES)
@settings(max_examples=100)
def test_any_value_of_any_option_is_refused_or_changes_no_shape(name, value):
    file = replace(SOUND, config=dict(SOUND.config) | {name: value})
    try:
        restored = restore(file)
    except ArtifactError:
        refusal(file)
        return
    for tensor, wanted in zip(restored.state_dict().values(), SOUND.weights.values(), strict=True):
        assert tuple(tensor.shape) == wanted.shape


def test_config_that_lacks_an_option_or_is_empty_is_refused():
    assert "visual_channels" in str(refusal(replace(SOUND, config={})))


def test_model_that_does_not_exist_here_is_refused_with_what_there_is():
    assert "cman" in refusal(replace(SOUND, name="cmann")).hint


def test_labels_that_are_not_the_networks_classes_are_refused():
    labels = LabelSet(("bell", "bark", "horn"))
    assert "labels" in str(refusal(replace(SOUND, labels=labels)))


def test_weights_of_another_shape_missing_or_left_over_are_named():
    weights = dict(SOUND.weights)
    del weights["head.0.bias"]
    assert "head.0.bias is missing" in str(refusal(replace(SOUND, weights=weights)))
    odd = dict(SOUND.weights) | {"head.0.bias": np.zeros((1, 64), np.float32)}
    assert "head.0.bias is (1, 64) and should be (64,)" in str(refusal(replace(SOUND, weights=odd)))
    more = dict(SOUND.weights) | {"left.over": np.zeros(1)}
    assert "left.over is (1,) and should be missing" in str(refusal(replace(SOUND, weights=more)))
