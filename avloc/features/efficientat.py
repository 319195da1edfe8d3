"""EfficientAT's mn04: an AudioSet tagger of a million parameters, and the log-mel it takes.

Schmid, Koutini and Widmer, "Efficient Large-Scale Audio Tagging via Transformer-to-CNN Knowledge
Distillation", ICASSP 2023. The network is MobileNetV3-Large at width 0.4 on one channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from fractions import Fraction
from functools import cache, partial

import torch
from torch import Tensor, nn

from avloc.decoding.front_ends import waveform
from avloc.features.precision import one_thread
from avloc.features.weights import State, WeightsRecord, fill

MN04_WEIGHTS = WeightsRecord(
    "efficientat-mn04",
    "mn04_as_mAP_432.pt",
    "https://github.com/fschmid56/EfficientAT/releases/download/v0.0.1/mn04_as_mAP_432.pt",
    sha256="899a8c6217063f6941793102a2780b3dd788ab11fce468d9cf5f0577c453321c",
    licence="MIT, trained on AudioSet",
    n_bytes=4_066_513,
)
N_CLASSES = 527  # AudioSet's, in the order of its class_labels_indices.csv
_RATE = 32_000
_N_FFT, _WINDOW, _HOP = 1024, 800, 320
_N_BANDS, _LOW_HZ, _HIGH_HZ = 128, 0.0, 15_000.0
_SHORT = Fraction(1, 2)  # seconds; a segment below it has a window of 1 s


def mn04_front_end(segment_seconds: Fraction) -> str:
    """Return the front end for segments of a length: a segment is heard with what is around it."""
    return waveform(_RATE, 2 if segment_seconds >= _SHORT else 1)


def mn04_log_mel(sound: Tensor) -> Tensor:
    """Return (B, 1, 128, frames) float32 of (B, n) sound at 32 kHz, 100 frames a second.

    In double precision: its rounding shows neither threads nor batches.
    """
    # Several threads gain nothing here, and wait for each other where other programs run.
    with one_thread() if sound.device.type == "cpu" else nullcontext():
        x = sound.double()
        x = x[:, 1:] - 0.97 * x[:, :-1]
        window, bands = _constants(sound.device)
        spectrum = torch.view_as_real(
            torch.stft(x, _N_FFT, _HOP, _WINDOW, window, center=True, return_complex=True)
        )
        log_mel = torch.log(bands @ spectrum.square().sum(-1) + 1e-5)
        return ((log_mel + 4.5) / 5).float()[:, None]


@cache
def _constants(device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the window and Kaldi's (128, 513) filter bank, rounded as the authors had it."""
    from torchaudio.compliance.kaldi import get_mel_banks  # which few encoders need

    with torch.inference_mode(False):  # cached: each copy would wait for the device
        window = torch.hann_window(_WINDOW, periodic=False, dtype=torch.float64)
        bands, _ = get_mel_banks(_N_BANDS, _N_FFT, _RATE, _LOW_HZ, _HIGH_HZ, 100.0, -500.0, 1.0)
        return window.to(device), nn.functional.pad(bands, (0, 1)).double().to(device)


def mn04_trunk(_name: str, state: State, record: WeightsRecord) -> nn.Module:
    """Return mn04 up to its embedding: (B, 1, 128, frames) to (B, 384)."""
    parts = dict(mn04(state, record).named_children())
    return nn.Sequential(parts["features"], parts["avgpool"], nn.Flatten(1))


def mn04(state: State, record: WeightsRecord) -> nn.Module:
    """Return the whole tagger: (B, 1, 128, frames) to (B, 527) logits."""
    # slow to load, and needed only where no export is in the cache
    from torchvision.models import mobilenetv3
    from torchvision.ops.misc import SqueezeExcitation

    table, n_hidden = mobilenetv3._mobilenet_v3_conf("mobilenet_v3_large", width_mult=0.4)
    with torch.device("meta"):
        network: nn.Module = mobilenetv3.MobileNetV3(
            table,
            n_hidden,
            N_CLASSES,
            block=partial(mobilenetv3.InvertedResidual, se_layer=SqueezeExcitation),
            norm_layer=partial(nn.BatchNorm2d, eps=1e-3),
        )
        mono = nn.Conv2d(1, table[0].input_channels, 3, stride=2, padding=1, bias=False)
        network.get_submodule("features.0").register_module("0", mono)
    fill(network, _as_torchvision(state), record)
    return network.eval()


def _as_torchvision(state: State) -> Mapping[str, Tensor]:
    """Rename the authors' tensors; their linear layers over channels are 1 x 1 convolutions."""
    names = {"classifier.2.": "classifier.0.", "classifier.5.": "classifier.3."}
    renamed = {}
    for name, tensor in state.items():
        is_linear = ".conc_se_layers.0." in name and name.endswith("weight")
        new = name.replace(".conc_se_layers.0.", ".")
        for theirs, ours in names.items():
            new = new.replace(theirs, ours)
        renamed[new] = tensor[..., None, None] if is_linear else tensor
    return renamed
