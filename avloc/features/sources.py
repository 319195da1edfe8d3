"""Where an encoder comes from: built in, with one weights file, or a model of a hub."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from avloc.errors import UnknownNameError, UsageError
from avloc.features.architectures import Architecture, Sense, find_architecture
from avloc.features.hub.names import is_hub_name
from avloc.features.visual_networks import fold_batch_norm
from avloc.features.weights import (
    WeightsFile,
    WeightsPolicy,
    WeightsRecord,
    fetch,
    load_state,
)


@dataclass(frozen=True)
class EncoderSource:
    """An encoder whose files are on this machine.

    Attributes:
        name: the encoder's, without a revision.
        architecture: how it is built.
        weights_sha256: of its weights file; empty without one.
        licence: of its weights; empty without them.
        revision: the commit of a model of a hub; empty for a built-in encoder.
        record: of a built-in encoder's weights.
        file: of a built-in encoder's weights.
    """

    name: str
    architecture: Architecture
    weights_sha256: str = ""
    licence: str = ""
    revision: str = ""
    record: WeightsRecord | None = None
    file: WeightsFile | None = None

    @property
    def key(self) -> str:
        """What the network's export depends on."""
        return " ".join(filter(None, (self.name, self.weights_sha256, self.revision)))

    def build(self) -> nn.Module:
        """Return the network on the CPU, with its weights, to be evaluated."""
        if self.record is None or self.file is None:
            network = self.architecture.build(self.name, {}, None)
            return network.eval().requires_grad_(False)
        state = load_state(self.record, self.file)
        network = self.architecture.build(self.name, state, self.record)
        return fold_batch_norm(network.eval().requires_grad_(False))


def check_name(sense: Sense, name: str) -> None:
    """Refuse a name that is wrong, before anything is fetched."""
    if is_hub_name(name):
        from avloc.features.hub.hub_encoders import check_hub_name

        check_hub_name(sense, name)
        return
    try:
        find_architecture(sense, name)
    except UnknownNameError as error:
        if "/" not in name:
            raise
        raise UsageError(error.message, f"A model of the hub is named hf:{name}.") from None


def find_source(sense: Sense, name: str, weights: WeightsPolicy) -> EncoderSource:
    """Find an encoder's files or download them; `WeightsError` if they cannot be had."""
    check_name(sense, name)
    if is_hub_name(name):
        from avloc.features.hub.hub_encoders import find_hub_encoder  # its packages load slowly

        return find_hub_encoder(sense, name, weights)
    architecture = find_architecture(sense, name)
    if architecture.record is None:
        return EncoderSource(name, architecture)
    record = architecture.record(name)
    file = fetch(record, weights)
    return EncoderSource(name, architecture, file.sha256, record.licence, "", record, file)
