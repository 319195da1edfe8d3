"""``avloc eval`` of the model open: it has rivals, and senses that abstain."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_up import made_up

from avloc.artifacts import ModelFile
from avloc.evaluation.evaluator import evaluate
from avloc.evaluation.state_areas import sense_areas
from avloc.labels import LabelSet
from avloc.models import build, state_arrays
from avloc.models.label_scores import LabelClasses


def test_rivals_and_abstaining_senses_are_no_obstacle(tmp_path: Path) -> None:
    world = made_up(tmp_path, n_videos=10)
    labels = LabelSet(("bell", "bark"), kind="independent")
    senses = ("heard", "seen", "both")
    rows = tuple(replace(r, sense=senses[n % 3]) for n, r in enumerate(world.dataset.rows))
    dataset = replace(world.dataset, labels=labels, rows=rows, is_row_alone=False)
    model = build(
        "open",
        **{"visual_channels": 12, "audio_channels": 6, "n_classes": 2},
        **{"independent": True, "n_rivals": 1, "audio_head": "tagger", "visual_head": "softmax"},
        **{"audio_width": 4, "audio_classes": 3, "audio_pairs": 2},
        **{"visual_width": 4, "visual_classes": 3, "visual_pairs": 3},
    )
    classes = [LabelClasses((n,), (1.0,)) for n in range(3)]
    nothing = LabelClasses()
    model.heard_labels.fit([classes[0], nothing, classes[2]], [0.0] * 3, [1.0] * 3)
    model.seen_labels.fit(classes, [0.0] * 3, [1.0] * 3)
    file = ModelFile(
        name="open",
        config=model.config,
        weights=state_arrays(model),
        labels=labels,
        spec=world.store.spec,
        supervision="none",
        n_segments=10,
        segment_seconds=1.0,
        metrics={},
        seed=0,
        data={"rivals": ["wind"]},
    )
    predictions, evaluation = evaluate(file, world.store, dataset, "train")
    assert predictions.heard is not None
    assert np.isnan(predictions.heard[..., 1]).all()
    assert evaluation.events is not None
    assert evaluation.events.senses["labels"]["all"].heard is not None


def test_areas_leave_out_what_a_sense_does_not_say() -> None:
    nan = np.nan
    audible, visible = np.array([1, 1, 0, 0], bool), np.array([1, 0, 1, 0], bool)
    heard = np.array([0.9, nan, 0.2, nan])
    [every, *_] = sense_areas(heard, np.array([0.4, 0.5, 0.6, 0.1]), audible, visible)
    assert (every.heard, every.seen) == (1.0, pytest.approx(0.75))
