"""A visual and an audio encoder together, and the spec of the features they make."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from avloc.devices import choose_device
from avloc.errors import FingerprintError
from avloc.features.audio import AudioEncoder, load_audio
from avloc.features.precision import choose_precision
from avloc.features.runtimes import choose_runtime
from avloc.features.visual import VisualEncoder, load_visual
from avloc.features.weights import WeightsPolicy
from avloc.spec import FeatureSpec


@dataclass(frozen=True)
class Encoders:
    """What turns a video into features.

    Attributes:
        spec: of the features.
        visual: frames to maps.
        audio: log-mel patches to vectors.
    """

    spec: FeatureSpec
    visual: VisualEncoder
    audio: AudioEncoder

    @property
    def device(self) -> torch.device:
        """Where both run."""
        return self.visual.device


def load_encoders(
    visual: str = "resnet152",
    audio: str = "vggish",
    *,
    fps: int = 16,
    sampling: str = "pts",
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    weights: WeightsPolicy = WeightsPolicy(),  # noqa: B008 - frozen
) -> Encoders:
    """Load a pair of encoders.

    Args:
        visual: one of `list_visual_encoders`.
        audio: one of `list_audio_encoders`.
        fps: frames sampled a second.
        sampling: ``pts``, or ``ave2018`` for AVE's own rule of frame counts.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        precision: ``auto``, ``fp32``, ``fp16`` (see `avloc.features.precision`).
        runtime: ``auto``, ``eager``, ``compile``, ``onnx`` (see `avloc.features.runtimes`).
        weights: where weight files may come from.

    Raises:
        UnknownNameError: there is no such encoder, precision or runtime.
        UsageError: no such device, or a sampling that cannot be followed.
        WeightsError: weights cannot be had. DependencyError: a package is not installed.
    """
    place = choose_device(device)
    fineness = choose_precision(precision, place)
    runner = choose_runtime(runtime, place)
    # Told before hundreds of megabytes are fetched, and again with the hashes below.
    FeatureSpec(visual, "", audio, "", fps=fps, sampling=sampling, precision=fineness)
    hearing = load_audio(audio, device=place, precision=fineness, weights=weights, runtime=runner)
    seeing = load_visual(visual, device=place, precision=fineness, weights=weights, runtime=runner)
    spec = FeatureSpec(
        visual,
        seeing.weights_sha256,
        audio,
        hearing.weights_sha256,
        fps=fps,
        sampling=sampling,
        precision=fineness,
    )
    return Encoders(spec, seeing, hearing)


def encoders_for(
    spec: FeatureSpec,
    *,
    device: str = "auto",
    weights: WeightsPolicy = WeightsPolicy(),  # noqa: B008 - frozen
) -> Encoders:
    """Load the encoders that a model's or a store's spec asks for.

    Args:
        spec: of the features to make.
        device: where to run them; another device than the spec was made on will do.
        weights: where weight files may come from.

    Raises:
        FingerprintError: what can be loaded here would not give the same features.
        WeightsError: weights cannot be had. DependencyError: a package is not installed.
    """
    encoders = load_encoders(
        spec.visual,
        spec.audio,
        fps=spec.fps,
        sampling=spec.sampling,
        device=device,
        precision=spec.precision,
        weights=weights,
    )
    if encoders.spec != spec:
        raise FingerprintError(
            f"the encoders here give features {encoders.spec.fingerprint}, wanted are"
            f" {spec.fingerprint} ({encoders.spec.differences(spec)})",
            "Give the same weight files with --weights DIR, or extract and train again.",
        )
    return encoders
