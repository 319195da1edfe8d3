"""Encoders from a hub, ready to be built."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn

from avloc.decoding.front_ends import waveform
from avloc.decoding.squash import resize_rule
from avloc.errors import UsageError
from avloc.features.architectures import Architecture, Sense
from avloc.features.hub import audio_tower, image_towers, timm_networks, transformers_models
from avloc.features.hub.names import SENSES, HubName, parse_hub_name, require_packages
from avloc.features.hub.snapshots import Snapshot, find_snapshot, sha256_of_weights, weights_of
from avloc.features.preprocess import Colour, normalised
from avloc.features.sources import EncoderSource
from avloc.features.weights import WeightsPolicy

_WHITE = 255.0
_SOUNDS_AT_ONCE = 4  # ten seconds each


def check_hub_name(sense: Sense, name: str) -> HubName:
    """Read a hub encoder's name; refuse what is wrong without a look at the model."""
    parsed = parse_hub_name(name)
    if sense not in SENSES[parsed.library]:
        raise UsageError(
            f"{parsed} cannot be the {sense} encoder: timm has networks for pictures only",
            "An audio encoder from the hub is named hf:ORG/NAME.",
        )
    require_packages(parsed)
    return parsed


def find_hub_encoder(sense: Sense, name: str, policy: WeightsPolicy) -> EncoderSource:
    """Find or download an encoder's files, and read how it is built.

    `UsageError` if it is of an unknown kind, `WeightsError` if its files cannot be had.
    """
    parsed = check_hub_name(sense, name)
    if parsed.library == "timm":
        parsed, repository = timm_networks.repository_of(parsed)
        snapshot = find_snapshot(parsed, repository, policy)
        weights = weights_of(snapshot, policy)
        architecture = _timm_architecture(snapshot)
    else:
        snapshot = find_snapshot(parsed, parsed.model, policy)
        kind = transformers_models.kind_of(snapshot, sense)  # before it is downloaded
        weights = weights_of(snapshot, policy)
        architecture = (
            _sound_architecture(snapshot)
            if sense == "audio"
            else _picture_architecture(snapshot, kind)
        )
    return EncoderSource(
        str(snapshot.name),
        architecture,
        sha256_of_weights(weights),
        snapshot.licence,
        snapshot.revision,
    )


def _picture_architecture(snapshot: Snapshot, kind: str) -> Architecture:
    processor = transformers_models.load_image_processor(snapshot)
    config = transformers_models.load_config(snapshot)
    vision = config.vision_config
    width = config.projection_dim if kind == "clip" else vision.hidden_size

    def build(*_: object) -> nn.Module:
        return image_towers.ImageTower(transformers_models.load_model(snapshot), kind)

    scale = processor.rescale_factor if processor.do_rescale else 1.0
    mean, std = _colours(processor)
    return Architecture(
        (*image_towers.grid_of(vision, kind), width),
        partial(normalised, scale=1 / scale, mean=mean, std=std),
        build,
        None,
        size=image_towers.size_of(vision, kind),
        resize=resize_rule(int(processor.resample)),
        layer=image_towers.LAYER,
    )


def _colours(processor: Any) -> tuple[Colour, Colour]:
    """Return a processor's mean and standard deviation, red, green, blue."""
    if not processor.do_normalize:
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    (r, g, b), (sr, sg, sb) = processor.image_mean, processor.image_std
    return (r, g, b), (sr, sg, sb)


def _sound_architecture(snapshot: Snapshot) -> Architecture:
    extractor = transformers_models.load_sound_processor(snapshot)
    config = transformers_models.load_config(snapshot)
    front_end = waveform(extractor.sampling_rate, extractor.max_length_s)

    def build(*_: object) -> nn.Module:
        return audio_tower.AudioTower(transformers_models.load_model(snapshot))

    return Architecture(
        (config.projection_dim,),
        audio_tower.SoundPreparation(extractor),
        build,
        None,
        cpu_group=_SOUNDS_AT_ONCE,
        front_end=lambda _: front_end,
        layer=audio_tower.LAYER,
    )


def _timm_architecture(snapshot: Snapshot) -> Architecture:
    network, settings = timm_networks.load_network(snapshot.name, snapshot.folder)
    channels, height, width = network.shape
    _, *size = settings["input_size"]
    return Architecture(
        (height, width, channels),
        partial(normalised, scale=_WHITE, mean=tuple(settings["mean"]), std=tuple(settings["std"])),
        lambda *_: network,
        None,
        size=(size[0], size[1]),
        resize=resize_rule(settings["interpolation"]),
        layer=timm_networks.LAYER,
    )
