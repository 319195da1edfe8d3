"""Picture networks of the package timm, up to their last map."""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from avloc.errors import UsageError, WeightsError
from avloc.features.hub.names import HubName

LAYER = "last map"


class TimmNetwork(nn.Module):
    """A network up to its last map; `shape` is the (D, H, W) of it."""

    def __init__(self, model: Any, size: tuple[int, int]) -> None:
        super().__init__()
        self.model = model
        with torch.inference_mode():
            self.shape = tuple(self(torch.zeros(1, 3, *size)).shape[1:])

    def forward(self, pictures: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B D H W"]:
        """Return the last map; `forward_features` would differ by family."""
        maps: list[Tensor] = self.model.forward_intermediates(
            pictures, indices=1, output_fmt="NCHW", intermediates_only=True
        )
        return maps[-1]


def repository_of(name: HubName) -> tuple[HubName, str]:
    """Return a name with the tag of its weights, and the hub's repository of it."""
    if name.folder is not None:
        return name, ""
    import timm

    try:
        config = timm.get_pretrained_cfg(name.model)
    except RuntimeError as error:
        raise UsageError(f"timm knows no {name.model}: {error}", _nearest(name.model)) from error
    if config is None or not config.hf_hub_id:
        raise UsageError(f"timm has no pretrained {name.model}", _nearest(name.model))
    tagged = [config.architecture, config.tag] if config.tag else [config.architecture]
    return replace(name, model=".".join(map(str, tagged))), config.hf_hub_id


def load_network(name: HubName, folder: Path) -> tuple[TimmNetwork, Any]:
    """Read a network and its pretrained configuration from a folder in the hub's layout."""
    import timm

    try:
        model = timm.create_model(f"local-dir:{folder.resolve()}", pretrained=True, num_classes=0)
        config = timm.data.resolve_model_data_config(model)
        _, height, width = config["input_size"]
        network = TimmNetwork(model.eval().requires_grad_(False), (height, width))
    except Exception as error:  # timm has as many kinds as it has networks
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise WeightsError(
            f"{name} in {folder} cannot be read: {reason}",
            "Give config.json and model.safetensors as the hub has them; the network must have a"
            " last map.",
        ) from error
    return network, config


def _nearest(model: str) -> str:
    import timm

    near = difflib.get_close_matches(model, timm.list_models(pretrained=True), n=3, cutoff=0.5)
    return f"It has {', '.join(near)}." if near else "timm.list_models(pretrained=True) lists all."
