"""The open model of encoders that were trained with texts: tiny ones, which know nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import median_filter
from tiny_encoders import Film
from tiny_hub import as_cached, save_clap, save_clip

from avloc.artifacts import write_model
from avloc.errors import UsageError
from avloc.features import WeightsPolicy, extract_video
from avloc.features.hub.text_towers import text_head
from avloc.localizer import load
from avloc.models.label_scores import MIDDLE, SLOPE
from avloc.stages.open_model import make_open_model
from avloc.vocabulary import SOUNDING_THINGS

LABELS = ["dog barking", "qwxyz"]
PAIR = {"visual": "hf:tiny/clip", "audio": "hf:tiny/clap"}


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> WeightsPolicy:
    root = tmp_path_factory.mktemp("hub")
    as_cached(save_clip(root / "clip"), root / "weights", "tiny/clip")
    as_cached(save_clap(root / "clap"), root / "weights", "tiny/clap")
    return WeightsPolicy(root / "weights", offline=True)


def test_a_label_is_compared_with_a_bank_of_ordinary_words(
    policy: WeightsPolicy, tmp_path: Path
) -> None:
    made = make_open_model(LABELS, **PAIR, policy=policy)
    assert [mapping.heard[0].reason for mapping in made.mappings] == ["its text"] * 2
    assert not made.notes  # no word is unknown to a text
    write_model(tmp_path / "open.h5", made.file)
    film = Film(seconds=3).write(tmp_path / "film.mp4")
    localizer = load(tmp_path / "open.h5", weights=policy.folder, offline=True)
    timeline = localizer(film)
    features = extract_video(film, made.encoders)
    embeddings = {"heard": features.audio, "seen": features.visual.astype(float).mean((1, 2))}
    for sense, name in (("heard", "hf:tiny/clap"), ("seen", "hf:tiny/clip")):
        head = text_head(name, [*LABELS, *SOUNDING_THINGS], weights=policy)
        logits = embeddings[sense] @ head.weight.numpy().T * head.scale
        bank = logits[:, len(LABELS) :]
        deviations = logits[:, : len(LABELS)] - bank.mean(1, keepdims=True)
        deviations /= bank.std(1, ddof=1, keepdims=True)
        deviations = median_filter(deviations, (3, 1), mode="nearest")
        expected = 1 / (1 + np.exp(-SLOPE * (deviations - MIDDLE)))
        np.testing.assert_allclose(getattr(timeline, sense), expected, rtol=2e-2, atol=1e-4)


def test_one_sense_may_be_a_text_model_and_the_other_a_tagger(policy: WeightsPolicy) -> None:
    made = make_open_model(LABELS, visual="efficientnet-lite0", audio="hf:tiny/clap", policy=policy)
    assert made.file.config["audio_head"] == "contrastive"
    assert made.file.config["visual_head"] == "softmax"
    assert made.mappings[1].seen == ()
    assert made.notes == ("known only where heard, since nothing seen matches: qwxyz",)


def test_an_encoder_without_texts_and_classes_is_refused(policy: WeightsPolicy) -> None:
    with pytest.raises(UsageError, match="no visual encoder with classes is called 'resnet18'"):
        make_open_model(LABELS, visual="resnet18", policy=policy)
    with pytest.raises(UsageError, match="was not trained with texts"):
        make_open_model(LABELS, visual="timm:resnet18", policy=policy)
