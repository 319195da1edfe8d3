"""Encoders to measure with: their own weights, or made-up ones where those are not at hand.

A network's speed does not depend on its weights. Its features do: made-up ones have a hash of
their own, and so a fingerprint that mixes with nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from avloc.devices import choose_device
from avloc.errors import WeightsError
from avloc.features import Encoders, FeatureSpec, WeightsPolicy, WeightsRecord
from avloc.features.audio import load_audio
from avloc.features.precision import choose_precision
from avloc.features.runtimes import choose_runtime
from avloc.features.vggish import VGGISH_WEIGHTS, VGGish
from avloc.features.visual import build_trunk, load_visual, visual_record
from avloc.features.weights import fetch, sha256_of


def encoders_at_hand(
    visual: str,
    audio: str,
    folder: Path,
    *,
    fps: int = 16,
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
) -> Encoders:
    """Load encoders as `avloc.features.load_encoders` does, without a download.

    Args:
        visual: the visual encoder.
        audio: the audio encoder.
        folder: where made-up weights are put.
        fps: frames sampled a second.
        device: where they run.
        precision: how fine.
        runtime: what runs them.

    Raises:
        UnknownNameError: there is no such encoder, precision or runtime.
        UsageError: no such device. DependencyError: a package is not installed.
    """
    place = choose_device(device)
    fineness, runner = choose_precision(precision, place), choose_runtime(runtime, place)
    policy = WeightsPolicy(folder, offline=True)
    hearing = load_audio(
        audio,
        device=place,
        precision=fineness,
        weights=policy,
        record=_at_hand(VGGISH_WEIGHTS, VGGish, policy) if audio == "vggish" else VGGISH_WEIGHTS,
        runtime=runner,
    )
    seeing = load_visual(
        visual,
        device=place,
        precision=fineness,
        weights=policy,
        record=_visual_at_hand(visual, policy),
        runtime=runner,
    )
    hashes = seeing.weights_sha256, hearing.weights_sha256
    spec = FeatureSpec(visual, hashes[0], audio, hashes[1], fps=fps, precision=fineness)
    return Encoders(spec, seeing, hearing)


def trunk_as_built(visual: str, folder: Path) -> nn.Module:
    """Return a visual encoder's trunk before anything is made faster.

    Raises:
        UnknownNameError: there is no such encoder.
    """
    policy = WeightsPolicy(folder, offline=True)
    return build_trunk(visual, _visual_at_hand(visual, policy), policy)[0]


def are_made_up(encoders: Encoders) -> bool:
    """Tell whether weights of these encoders were made up."""
    records = {visual_record(encoders.visual.name), VGGISH_WEIGHTS}
    hashes = encoders.visual.weights_sha256, encoders.audio.weights_sha256
    return not all(
        digest == "" or any(digest.startswith(record.sha256) for record in records)
        for digest in hashes
    )


def _visual_at_hand(name: str, policy: WeightsPolicy) -> WeightsRecord:
    def untrained() -> nn.Module:
        from torchvision.models import get_model  # slow to load

        network: nn.Module = get_model(name, weights=None)
        return network

    return _at_hand(visual_record(name), untrained, policy)


def _at_hand(
    record: WeightsRecord, untrained: Callable[[], nn.Module], policy: WeightsPolicy
) -> WeightsRecord:
    """Return a record whose file is here, if need be of seeded weights that are written now."""
    try:
        fetch(record, policy)
        return record
    except WeightsError:
        assert policy.folder is not None
    path = policy.folder / f"made-up-{record.file}"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(untrained().state_dict(), path)
    return WeightsRecord(record.name, path.name, "made up for measuring", sha256_of(path), "none")
