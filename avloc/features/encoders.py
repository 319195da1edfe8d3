"""A visual and an audio encoder together, and the spec of the features they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial

import torch
from torch import Tensor, nn

from avloc.devices import choose_device
from avloc.errors import FingerprintError
from avloc.features.architectures import Sense
from avloc.features.hub.names import at_revision
from avloc.features.precision import (
    arithmetic,
    choose_precision,
    in_precision,
    require_precision,
    rounds_to,
)
from avloc.features.runtimes import choose_runtime, with_runtime
from avloc.features.sources import EncoderSource, check_name, find_source
from avloc.features.weights import WeightsPolicy
from avloc.spec import DEFAULT_AUDIO, DEFAULT_VISUAL, FeatureSpec, Precision


@dataclass(frozen=True)
class Encoder:
    """Turns frames into maps, or items of sound into vectors."""

    name: str
    network: Callable[[Tensor], Tensor]  # (B, 3, h, w) to (B, D, H, W); of sound, to (B, D)
    prepare: Callable[[Tensor], Tensor]  # items to the network's input
    embedding: tuple[int, ...]  # an item's shape: (H, W, D) or (D,)
    weights_sha256: str  # empty without a weights file
    device: torch.device
    precision: Precision
    # B of every call; the last is filled up with zeros. For another batch size a convolution
    # library may choose another algorithm, which rounds differently.
    group: int

    def encode(self, items: Tensor) -> Tensor:
        """Return float32 (n, H, W, D) of (n, h, w, 3) uint8, or (n, D) of a front end's items."""
        with arithmetic(self.device, self.precision):
            return torch.cat([self._encode_group(part) for part in torch.split(items, self.group)])

    def _encode_group(self, items: Tensor) -> Tensor:
        n_items = len(items)
        if n_items < self.group:
            filling = items.new_zeros((self.group - n_items, *items.shape[1:]))
            items = torch.cat([items, filling])
        embeddings = self.network(self.prepare(items.to(self.device, non_blocking=True)))
        return embeddings.float().movedim(1, -1).contiguous()[:n_items]


@dataclass(frozen=True)
class Encoders:
    """A visual and an audio encoder, and the spec of the features they make."""

    spec: FeatureSpec
    visual: Encoder
    audio: Encoder

    @property
    def device(self) -> torch.device:
        """Where both run."""
        return self.visual.device


def load_encoder(
    sense: Sense,
    name: str,
    *,
    device: torch.device,
    precision: Precision,
    weights: WeightsPolicy,
    runtime: str = "eager",
    segment_seconds: Fraction = Fraction(1),
) -> Encoder:
    """Load one encoder; ``runtime`` is as for `load_encoders`."""
    return load_source(
        sense,
        find_source(sense, name, weights),
        device=device,
        precision=precision,
        runtime=runtime,
        segment_seconds=segment_seconds,
    )


def load_source(
    sense: Sense,
    source: EncoderSource,
    *,
    device: torch.device,
    precision: Precision,
    runtime: str = "eager",
    segment_seconds: Fraction = Fraction(1),
) -> Encoder:
    """Load the encoder of a source, as `load_encoder` does."""
    architecture = source.architecture
    network_precision = _network_precision(sense, precision)
    runtime = choose_runtime(runtime, device, rounds_to(device, network_precision))
    group = architecture.group(device, runtime)
    one = architecture.prepare(architecture.items(sense, segment_seconds).to(device))
    like = torch.zeros(group, *one.shape[1:], device=device)
    prepare: Callable[..., Tensor] = architecture.prepare
    if sense == "visual" and runtime == "onnx":  # which takes planes
        prepare = partial(prepare, is_planar=True)
    if sense == "visual":
        like = like.contiguous(memory_format=torch.channels_last)

    def build() -> nn.Module:
        network = source.build().to(device)
        if sense == "visual" and runtime != "onnx":  # which orders memory by itself
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return in_precision(network, device, network_precision)

    with arithmetic(device, precision):
        network = with_runtime(build, runtime, like, source.key)
    return Encoder(
        source.name,
        network,
        prepare,
        architecture.embedding,
        source.weights_sha256,
        device,
        precision,
        group,
    )


def _network_precision(sense: Sense, precision: Precision) -> Precision:
    """Return the class that a network calculates in: of bf16, the picture's alone."""
    return "fp32" if precision == "bf16" and sense == "audio" else precision


def load_encoders(
    visual: str = DEFAULT_VISUAL,
    audio: str = DEFAULT_AUDIO,
    *,
    fps: int = FeatureSpec.fps,
    sampling: str = FeatureSpec.sampling,
    segment_seconds: float = FeatureSpec.segment_seconds,
    device: str = "auto",
    precision: str = "auto",
    runtime: str = "auto",
    weights: WeightsPolicy = WeightsPolicy(),  # noqa: B008 - frozen
) -> Encoders:
    """Load a pair of encoders, of `list_visual_encoders` and `list_audio_encoders` or of a hub.

    Args:
        visual: the visual encoder's name; of a hub, ``hf:ORG/NAME@REVISION`` or ``timm:NAME``.
        audio: the audio encoder's name; of a hub, ``hf:ORG/NAME@REVISION``.
        fps: frames sampled per second.
        sampling: ``pts``, or ``ave2018`` for AVE's own rule of frame counts.
        segment_seconds: a segment's length.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        precision: ``auto``, ``fp32``, ``fp16``, ``bf16`` (see `avloc.features.precision`).
        runtime: ``auto``, ``eager``, ``compile``, ``onnx`` (see `avloc.features.runtimes`).
        weights: where weight files may come from; `WeightsError` if they are not available.
    """
    torch_device = choose_device(device)
    chosen = choose_precision(precision, torch_device)
    require_precision(chosen, torch_device)
    spec = FeatureSpec(visual, "", audio, "", fps, sampling, segment_seconds, precision=chosen)
    return _load_pair(spec, torch_device, runtime, weights)


def _load_pair(
    spec: FeatureSpec, device: torch.device, runtime: str, weights: WeightsPolicy
) -> Encoders:
    """Load the encoders that a spec names, and complete the spec."""
    visual, audio = spec.visual, spec.audio
    # Refuses what is wrong before hundreds of megabytes are fetched.
    choose_runtime(runtime, device, rounds_to(device, spec.precision))
    check_name("audio", audio)
    check_name("visual", visual)
    heard, seen = find_source("audio", audio, weights), find_source("visual", visual, weights)
    spec = _with_sources(spec, seen, heard)
    load = partial(
        load_source,
        device=device,
        precision=spec.precision,
        runtime=runtime,
        segment_seconds=spec.exact_segment_seconds,
    )
    audio_encoder, visual_encoder = load("audio", heard), load("visual", seen)
    return Encoders(spec, visual_encoder, audio_encoder)


def _with_sources(spec: FeatureSpec, visual: EncoderSource, audio: EncoderSource) -> FeatureSpec:
    """Return the spec of the features that two encoders make."""
    return replace(
        spec,
        visual=visual.name,
        visual_weights=visual.weights_sha256,
        visual_revision=visual.revision,
        visual_layer=visual.architecture.layer,
        visual_licence=visual.licence,
        audio=audio.name,
        audio_weights=audio.weights_sha256,
        audio_revision=audio.revision,
        audio_layer=audio.architecture.layer,
        audio_licence=audio.licence,
        size=visual.architecture.size,
        resize=visual.architecture.resize,
        front_end=audio.architecture.front_end(spec.exact_segment_seconds),
    )


def encoders_for(
    spec: FeatureSpec,
    *,
    device: str = "auto",
    weights: WeightsPolicy = WeightsPolicy(),  # noqa: B008 - frozen
) -> Encoders:
    """Load the encoders of a model's or a store's spec, on any device.

    `FingerprintError` if what can be loaded here would not give the same features.
    """
    named = FeatureSpec(
        at_revision(spec.visual, spec.visual_revision),
        "",
        at_revision(spec.audio, spec.audio_revision),
        "",
        spec.fps,
        spec.sampling,
        spec.segment_seconds,
        precision=spec.precision,
    )
    encoders = _load_pair(named, choose_device(device), "auto", weights)
    if encoders.spec != spec:
        raise FingerprintError(
            f"the encoders here give features {encoders.spec.fingerprint}, wanted are"
            f" {spec.fingerprint} ({encoders.spec.differences(spec)})",
            "Give the same weight files with --weights DIR, or extract and train again.",
        )
    return encoders
