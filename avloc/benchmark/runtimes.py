"""The ways to run a trunk, side by side."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import Tensor, nn

from avloc.benchmark.machine import wait_for
from avloc.benchmark.weights import trunk_as_built
from avloc.errors import AvlocError
from avloc.features.precision import arithmetic, choose_precision
from avloc.features.runtimes import choose_runtime, with_runtime
from avloc.features.trunks import fold_batch_norm

_SECONDS = 40.0
_Run = Callable[[], Tensor]


@dataclass(frozen=True)
class RuntimeSpeed:
    """One way to run a trunk.

    Attributes:
        name: the way.
        frames_per_second: the median of its turns.
        ratio: to the trunk as it is built, turn by turn.
        largest_error: of a map's numbers against the trunk as it is built, relative to the
            largest of them.
    """

    name: str
    frames_per_second: float
    ratio: float
    largest_error: float


def compare_runtimes(
    visual: str,
    device: torch.device,
    folder: Path,
    *,
    group: int = 16,
    precision: str = "auto",
    seconds: float = _SECONDS,
) -> list[RuntimeSpeed]:
    """Measure every way that works here, in turns, so that a busy machine is fair to all.

    Args:
        visual: the encoder.
        device: where.
        folder: where made-up weights are put if its own are not at hand.
        group: frames at once.
        precision: see `avloc.features.precision`.
        seconds: how long in all.

    Raises:
        UnknownNameError: there is no such encoder.
    """
    fineness = choose_precision(precision, device)
    draw = torch.Generator().manual_seed(0)
    frames = torch.randn(group, 3, 224, 224, generator=draw).to(device)
    with arithmetic(device, fineness):
        ways = _ways(trunk_as_built(visual, folder).to(device), frames)
        reference = ways["as built"]().float()
        errors = {name: _error(run(), reference) for name, run in ways.items()}
        rates: dict[str, list[float]] = {name: [] for name in ways}
        began = time.perf_counter()
        while time.perf_counter() - began < seconds or not rates["as built"]:
            for name, run in ways.items():
                rates[name].append(_rate(run, group, device))
    return [
        RuntimeSpeed(
            name,
            median(turns),
            median(a / b for a, b in zip(turns, rates["as built"], strict=True)),
            errors[name],
        )
        for name, turns in rates.items()
    ]


def _ways(trunk: nn.Module, frames: Tensor) -> dict[str, _Run]:
    rows_last = frames.contiguous(memory_format=torch.channels_last)
    folded = fold_batch_norm(deepcopy(trunk))
    both = _channels_last(deepcopy(folded))
    ways: dict[str, _Run] = {
        "as built": partial(_run, trunk, frames),
        "folded": partial(_run, folded, frames),
        "channels-last": partial(_run, _channels_last(deepcopy(trunk)), rows_last),
        "eager (both)": partial(_run, both, rows_last),
    }
    for runtime in ("compile", "onnx"):
        # left out where it is not installed, or not for this device
        with contextlib.suppress(AvlocError):
            chosen = choose_runtime(runtime, frames.device)
            ways[runtime] = partial(
                _run, with_runtime(partial(deepcopy, both), chosen, rows_last), rows_last
            )
    return ways


def _run(network: Callable[[Tensor], Tensor], frames: Tensor) -> Tensor:
    return network(frames)


def _channels_last(trunk: nn.Module) -> nn.Module:
    return trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _error(maps: Tensor, reference: Tensor) -> float:
    return float((maps.float() - reference).abs().max() / reference.abs().max())


def _rate(run: _Run, n_frames: int, device: torch.device) -> float:
    began = time.perf_counter()
    run()
    wait_for(device)
    return n_frames / (time.perf_counter() - began)
