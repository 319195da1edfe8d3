"""Splices: what is drawn, what a spliced window shows, and the loss by its formula."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_up import truth_of_classes

from avloc.datasets.batches import Batch
from avloc.labels import LabelSet
from avloc.training import TrainingConfig, loss_of
from avloc.training.losses import Loss
from avloc.training.splicing import allowed_labels, draw_splice, with_splices
from avloc.training.team import Team
from avloc.training.team_share import share_of

PRESENT = torch.tensor([[1, 0], [0, 1], [1, 0], [0, 0], [1, 1]]).bool()


def splicing_loss(kind: str, weight: float = 1.0) -> Loss:
    config = TrainingConfig(
        supervision="weak", weak_labels="presence", pooling="max", splice="on", splice_weight=weight
    )
    return loss_of(config, LabelSet(("bell", "bark"), kind=kind), most_labels=2)


@given(st.integers(0, 10_000), st.integers(2, 9))
def test_partners_have_other_labels_and_spans_are_inner_runs(seed, n_segments):
    splice = draw_splice(PRESENT, n_segments, seed)
    for window, partner in enumerate(splice.partner.tolist()):
        assert PRESENT[partner].tolist() != PRESENT[window].tolist()
        segments = np.flatnonzero(splice.inside[window])
        assert 1 <= len(segments) < n_segments
        assert segments[-1] - segments[0] + 1 == len(segments)
    again = draw_splice(PRESENT, n_segments, seed)
    assert torch.equal(splice.partner, again.partner)
    assert torch.equal(splice.inside, again.inside)


def test_every_partner_and_length_is_equally_likely():
    drawn = [draw_splice(PRESENT, 4, seed) for seed in range(3000)]
    partners = Counter(int(splice.partner[0]) for splice in drawn)
    lengths = Counter(int(splice.inside[0].sum()) for splice in drawn)
    assert set(partners) == {1, 3, 4}
    assert set(lengths) == {1, 2, 3}
    tolerance = 5 * math.sqrt(3000 * (1 / 3) * (2 / 3))  # five standard deviations
    assert all(abs(n - 1000) < tolerance for n in (*partners.values(), *lengths.values()))


@pytest.mark.parametrize(("present", "n_segments"), [(PRESENT[:1].repeat(3, 1), 5), (PRESENT, 1)])
def test_windows_that_cannot_be_spliced_keep_their_segments_and_have_no_loss(present, n_segments):
    splice = draw_splice(present, n_segments, 0)
    assert not splice.inside.any()
    assert not splice.has_partner.any()
    truth = truth_of_classes(torch.zeros(len(present), n_segments, dtype=torch.int64), 2)
    logits = torch.randn(len(present), n_segments, 3)
    assert splicing_loss("exclusive").splice_total(logits, splice, truth).item() == 0


def test_a_spliced_window_shows_and_sounds_as_its_partner_inside_the_span():
    marks = torch.arange(5.0).view(5, 1).expand(5, 6)
    batch = Batch(
        marks.view(5, 6, 1, 1, 1).clone(),
        marks.view(5, 6, 1).clone(),
        truth_of_classes(torch.zeros(5, 6, dtype=torch.int64), 2),
        torch.ones(5, 6, dtype=torch.bool),
        torch.ones(5, 6, dtype=torch.bool),
    )
    splice = draw_splice(PRESENT, 6, 3).of_windows([0, 1, 2])  # the others are partners only
    both = with_splices(batch, splice)
    assert both.visual.shape[0] == both.audio.shape[0] == len(both.truth.row) == 6
    assert torch.equal(both.visual[:3], batch.visual[:3])
    for b in range(3):
        for t in range(6):
            source = splice.partner[b] if splice.inside[b, t] else b
            assert both.visual[3 + b, t].item() == both.audio[3 + b, t].item() == source
    both.hide("visual")
    assert batch.visual.any()


@pytest.mark.parametrize("kind", ["exclusive", "independent"])
def test_the_loss_by_its_formula(kind):
    """-(1/T) sum_t log sum_{c in Y_t} softmax(z_t)_c; or the cross-entropy of "no", in NumPy."""
    draw = np.random.default_rng(0)
    z = draw.normal(size=(5, 6, 3 if kind == "exclusive" else 2))
    truth = truth_of_classes(torch.zeros(5, 6, dtype=torch.int64), 2)
    truth.present[:] = PRESENT
    splice = draw_splice(PRESENT, 6, 8)
    total = 0.0
    for i, j in enumerate(splice.partner.tolist()):
        for t in range(6):
            labels = PRESENT[j if splice.inside[i, t] else i].numpy()
            if kind == "exclusive":
                p = np.exp(z[i, t]) / np.exp(z[i, t]).sum()
                total -= np.log(p[[*labels, True]].sum()) / 6
            else:
                no = -np.log(1 - 1 / (1 + np.exp(-z[i, t])))
                total += (no * ~labels).mean() / 6
    for weight in (1.0, 0.5):
        loss = splicing_loss(kind, weight).splice_total(torch.from_numpy(z), splice, truth)
        assert loss.item() == pytest.approx(weight * total, rel=1e-5)


def test_background_everywhere_has_no_loss_and_a_label_in_the_partners_span_has():
    truth = truth_of_classes(torch.zeros(2, 4, dtype=torch.int64), 2)
    truth.present[:] = PRESENT[:2]
    splice = draw_splice(truth.present, 4, 0)
    loss = splicing_loss("exclusive")
    background, first = torch.zeros(2, 4, 3), torch.zeros(2, 4, 3)
    background[..., 2] = first[..., 0] = 50.0
    assert loss.splice_total(background, splice, truth).item() < 1e-6
    allowed = allowed_labels(truth.present, splice)[..., 0]
    wrong = float((~allowed).float().mean(dim=1).sum())
    assert loss.splice_total(first, splice, truth).item() == pytest.approx(
        (50 - math.log(2)) * wrong
    )
    error = loss.error.splice_total(first, splice, truth)
    assert error.item() == pytest.approx(wrong)


@pytest.mark.parametrize("size", [2, 3, 7])
def test_processes_share_rows_and_the_splices_of_one_process(size):
    classes = torch.zeros(6, 4, dtype=torch.int64)
    truth = truth_of_classes(classes, 2)
    truth.present[:] = PRESENT[[0, 0, 1, 2, 3, 4]]
    truth.row[:] = torch.tensor([5, 5, 8, 9, 11, 12])  # the first two windows are of one row
    loss = splicing_loss("exclusive")
    device = torch.device("cpu")
    alone = share_of(Team(device), truth, loss, (0, 1))
    assert (alone.windows, alone.partners) == ([0, 1, 2, 3, 4, 5], [])
    taken = []
    for rank in range(size):
        share = share_of(Team(device, rank, size), truth, loss, (0, 1))
        assert share.has_effect == (rank < 5)
        if not share.has_effect:
            assert share.windows == [0, 1]
            continue
        taken += share.windows
        needed = [*share.windows, *share.partners]
        for own, window in enumerate(share.windows):
            assert needed[share.splice.partner[own]] == alone.splice.partner[window]
            assert torch.equal(share.splice.inside[own], alone.splice.inside[window])
    assert sorted(taken) == list(range(6))
