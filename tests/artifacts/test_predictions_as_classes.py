"""Predictions as classes: what metrics of exclusive labels read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from examples import predictions

from avloc.errors import UsageError
from avloc.labels import LabelSet


def test_classes_of_the_truth_are_background_where_no_label_is_and_minus_one_unscored() -> None:
    assert predictions().targets.tolist() == [[0, 0, 2, 2], [1, 1, 1, -1]]


def test_background_has_what_the_labels_leave() -> None:
    scores = np.array([[[0.5, 0.25], [0.7, 0.4], [0.0, 0.0], [0.125, 0.25]]] * 2, np.float32)
    rest = replace(predictions(), scores=scores).class_scores[0, :, 2]
    assert rest.tolist() == [0.25, 0.0, 1.0, 0.625]  # never below zero
    assert predictions().class_scores.dtype == np.float32


def test_independent_labels_have_no_classes() -> None:
    several = replace(predictions(), labels=LabelSet(("a", "b"), kind="independent"))
    for name in ("targets", "class_scores"):
        with pytest.raises(UsageError, match="independent"):
            getattr(several, name)
