"""A model's outputs for whole videos, in windows as long as those of its training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped
from numpy.typing import NDArray
from torch import Tensor

from avloc.errors import UsageError
from avloc.models import Model, ModelOutput

_AT_ONCE = 64  # segments whose maps are made together; none depends on another
_BATCH = 640  # segments of windows of one video that are a batch
Outputs = dict[str, NDArray[np.float32]]
"""``scores``; ``heard`` and ``seen`` if the model can tell them; ``rivals``, ``attention``,
``gate_visual`` and ``gate_audio`` if it has them."""


@torch.inference_mode()
def infer(
    model: Model,
    visual: Float[Tensor, "B T H W Dv"],
    audio: Float[Tensor, "B T Da"],
    window: int,
    real: Bool[Tensor, "B T"] | None = None,
) -> Outputs:
    """Run a model, in evaluation mode on its device, over videos.

    A video longer than the window (segments) is covered by windows that overlap by half. The
    output of a segment is the mean over its windows, weighted by its distance from the window's
    edge, where context is short. The inputs may be on any device and in any precision. Shorter
    videos may be padded: then ``real`` marks their segments, and none is longer than the window.

    Returns:
        ``scores``, ``heard`` and ``seen`` (B, T, C), ``rivals`` (B, T, R), ``attention``
        (B, T, H, W), ``gate_visual`` and ``gate_audio`` (B, T); zeros in padding.
    """
    device = next(model.buffers()).device  # every model has scalings
    n_videos, n_segments = audio.shape[:2]

    def run(parts: Sequence[slice]) -> Iterator[tuple[slice, Outputs]]:
        inputs = [_windows_of(x, parts).to(device).float() for x in (visual, audio)]
        outputs = _outputs(model, inputs[0], inputs[1], real)
        for n, part in enumerate(parts):
            of_part = slice(n * n_videos, (n + 1) * n_videos)
            yield part, {name: array[of_part] for name, array in outputs.items()}

    parts = windows(n_segments, window)
    at_once = max(1, _BATCH // (n_videos * min(window, n_segments)))
    groups = (parts[first : first + at_once] for first in range(0, len(parts), at_once))
    return blend(n_segments, (of_part for group in groups for of_part in run(group)))


def _windows_of(
    features: Shaped[Tensor, "B T *D"], parts: Sequence[slice]
) -> Shaped[Tensor, "BP W *D"]:
    """Return parts of one length of each video, as a batch."""
    several = [features[:, part] for part in parts]
    return several[0] if len(several) == 1 else torch.cat(several)


def _outputs(
    model: Model,
    visual: Float[Tensor, "B T H W Dv"],
    audio: Float[Tensor, "B T Da"],
    real: Bool[Tensor, "B T"] | None,
) -> Outputs:
    """Return what the model says of windows; zeros in padding."""
    padding = () if real is None else (real,)
    output = model(visual, audio, *padding)
    tensors = {
        "scores": model.probabilities(output.logits),
        **_senses(model, visual, audio, padding, output),
        "rivals": None if output.rivals is None else output.rivals.sigmoid(),
        "attention": output.attention,
        "gate_visual": output.gate_visual,
        "gate_audio": output.gate_audio,
    }
    arrays = {name: t.float().cpu().numpy() for name, t in tensors.items() if t is not None}
    if real is not None:
        for array in arrays.values():
            array[~real.cpu().numpy()] = 0
    return arrays


@torch.inference_mode()
def label_maps(
    model: Model,
    visual: Float[Tensor, "B T H W Dv"],
    outputs: Outputs,
    labels: NDArray[np.int64],
) -> NDArray[np.float32] | None:
    """Return (B, T, H, W) where one label a segment is, (B, T) indices; None if it is not known.

    Args:
        model: in evaluation mode.
        visual: the same features as the outputs are of.
        outputs: what `infer` returned.
        labels: (B, T) the label of each segment.
    """
    if not model.has_label_maps:
        return None
    device = next(model.buffers()).device
    maps = []
    for first in range(0, visual.shape[1], _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        heard, seen = (
            None if name not in outputs else torch.from_numpy(outputs[name][:, part]).to(device)
            for name in ("heard", "seen")
        )
        chosen = torch.from_numpy(labels[:, part]).to(device)
        made = model.label_maps(  # type: ignore[operator]
            visual[:, part].to(device).float(), heard, seen, chosen
        )
        if made is None:
            return None
        maps.append(made.cpu().numpy())
    return np.concatenate(maps, axis=1)


def _senses(
    model: Model,
    visual: Float[Tensor, "B T H W Dv"],
    audio: Float[Tensor, "B T Da"],
    padding: tuple[Tensor, ...],
    output: ModelOutput,
) -> dict[str, Float[Tensor, "B T C"]]:
    """Return what each sense alone says: from a head of its own, or with the other one hidden."""
    if output.heard is not None or output.seen is not None:
        own = {"heard": output.heard, "seen": output.seen}
        return {n: model.probabilities(logits) for n, logits in own.items() if logits is not None}
    if model.modalities == "audio":
        return {"heard": model.probabilities(output.logits)}
    if model.modalities == "visual":
        return {"seen": model.probabilities(output.logits)}
    if not model.knows_halves:
        return {}
    heard = model(torch.zeros_like(visual), audio, *padding).logits
    seen = model(visual, torch.zeros_like(audio), *padding).logits
    return {"heard": model.probabilities(heard), "seen": model.probabilities(seen)}


def windows(n_segments: int, window: int) -> list[slice]:
    """Return windows over T segments, half a window apart; the last one ends with the video."""
    if n_segments < 1 or window < 1:
        raise UsageError(f"cannot lay windows of {window} over {n_segments} segments")
    if n_segments <= window:
        return [slice(0, n_segments)]
    last = n_segments - window
    starts = [*range(0, last, max(1, window // 2)), last]
    return [slice(start, start + window) for start in starts]


def blend(n_segments: int, parts: Iterable[tuple[slice, Outputs]]) -> Outputs:
    """Return the weighted mean of overlapping windows, each with its (B, window, ...) arrays."""
    sums: dict[str, NDArray[np.float64]] = {}
    total = np.zeros(n_segments)
    for part, outputs in parts:
        length = part.stop - part.start
        weight = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1)).astype(float)
        total[part] += weight
        for name, array in outputs.items():
            if name not in sums:
                sums[name] = np.zeros((len(array), n_segments, *array.shape[2:]))
            sums[name][:, part] += _per_segment(weight, array) * array
    return {
        name: (array / _per_segment(total, array)).astype(np.float32)
        for name, array in sums.items()
    }


def _per_segment(values: NDArray[np.float64], array: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (T,) values in a shape that multiplies (B, T, ...)."""
    return values.reshape(-1, *[1] * (array.ndim - 2))
