"""How fast different ways to run the same network are, measured in turns::

    python tools/compare_networks.py resnet152            # the runtimes of a visual encoder
    python tools/compare_networks.py sentinel             # the sentinel LSTM as a loop of steps

Prints each way's rate, the median ratio of its turns to the first way, and the largest
difference of its result, relative to the largest number in the result. Encoders take random
weights where their own ones are not on this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from functools import partial
from statistics import median

import torch
from random_weights import random_weights
from torch import Tensor, nn

from avloc.devices import choose_device
from avloc.errors import AvlocError
from avloc.features import sources
from avloc.features.architectures import find_architecture
from avloc.features.precision import arithmetic, choose_precision, has_bf16, in_precision
from avloc.features.runtimes import choose_runtime, with_runtime
from avloc.features.visual_networks import fold_batch_norm
from avloc.features.weights import WeightsPolicy, load_state
from avloc.models.sentinel import SentinelLSTM
from avloc.stages.bench_training import measure_seconds

Ways = dict[str, Callable[[], Tensor]]


def runtimes(visual: str, frames: Tensor) -> Ways:
    """Return the ways to run a visual encoder that work on this machine."""
    architecture = find_architecture("visual", visual)
    record = architecture.record(visual)
    with random_weights():
        state = load_state(record, sources.fetch(record, WeightsPolicy()))
    built = architecture.build(visual, state, record).eval().requires_grad_(False)
    built = built.to(frames.device)
    channels_last = frames.contiguous(memory_format=torch.channels_last)
    folded = fold_batch_norm(deepcopy(built))
    precision = choose_precision("auto", frames.device)

    def rounded(network: nn.Module) -> nn.Module:
        return in_precision(deepcopy(network), frames.device, precision)

    both = rounded(_channels_last(folded))
    ways: Ways = {
        "as built": partial(rounded(built), frames),
        "batch norm folded": partial(rounded(folded), frames),
        "channels-last": partial(rounded(_channels_last(built)), channels_last),
        "eager: both": partial(both, channels_last),
    }
    if has_bf16(frames.device):
        bf16 = in_precision(_channels_last(folded), frames.device, "bf16")
        ways["eager: both, bf16"] = partial(bf16, channels_last)
    for runtime in ("compile", "onnx"):
        with contextlib.suppress(AvlocError):  # not installed, or not for this device
            chosen = choose_runtime(runtime, frames.device)
            network = with_runtime(partial(deepcopy, both), chosen, channels_last)
            ways[runtime] = partial(network, channels_last)
    return ways


def _channels_last(trunk: nn.Module) -> nn.Module:
    return deepcopy(trunk).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def sentinels(device: torch.device, batch_size: int = 64) -> Ways:
    """Return the ways to compute CMAN's sentinels, forwards and backwards."""
    torch.manual_seed(0)
    module = SentinelLSTM(256, 256, is_bidirectional=True, has_sentinel=True).to(device)
    x = torch.randn(batch_size, 10, 256, device=device, requires_grad=True)

    def backwards(forwards: Callable[[], Tensor]) -> Tensor:
        result = forwards()
        result.sum().backward()  # type: ignore[no-untyped-call]
        return result.detach()

    return {
        "fast form": partial(backwards, lambda: module(x)[1]),
        "loop of steps": partial(backwards, lambda: in_steps(module, x)),
    }


def in_steps(module: SentinelLSTM, x: Tensor) -> Tensor:
    """Return the sentinels by equation 4 as it is written: one step after the other."""
    of_directions = []
    for d, gate_input in enumerate(module.gate_input):
        suffix = f"_l0{'_reverse' * d}"
        weights = [
            getattr(module.lstm, name + suffix)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        state = memory = x.new_zeros(len(x), module.lstm.hidden_size)
        steps = []
        for x_t in (x.flip(1) if d else x).unbind(1):
            gate = torch.sigmoid(gate_input(x_t) + module.gate_state[d](state))
            state, memory = torch.lstm_cell(x_t, (state, memory), *weights)
            steps.append(gate * torch.tanh(memory))
        stacked = torch.stack(steps, 1)
        of_directions.append(stacked.flip(1) if d else stacked)
    return torch.cat(of_directions, -1)


def compare(ways: Ways, n: int, device: torch.device, seconds: float) -> dict[str, tuple]:
    """Return each way's inputs per second, ratio and error; ``n`` is the inputs of a call."""
    first = next(iter(ways))
    results = {name: run().float() for name, run in ways.items()}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    began = time.perf_counter()
    while time.perf_counter() - began < seconds or not rates[first]:
        for name, run in ways.items():
            rates[name].append(n / measure_seconds(device, run))
    largest = results[first].abs().max()
    return {
        name: (
            median(turns),
            median(a / b for a, b in zip(turns, rates[first], strict=True)),
            float((results[name] - results[first]).abs().max() / largest),
        )
        for name, turns in rates.items()
    }


def main() -> None:
    """Compare what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", help="a visual encoder, or sentinel")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, default=40.0)
    asked = parser.parse_args()
    device = choose_device(asked.device)
    if asked.network == "sentinel":
        rates = compare(sentinels(device), 64, device, asked.seconds)
    else:
        with arithmetic(device, choose_precision("auto", device)):
            frames = torch.randn(16, 3, 224, 224, generator=torch.Generator().manual_seed(0))
            ways = runtimes(asked.network, frames.to(device))
            rates = compare(ways, len(frames), device, asked.seconds)
    for name, (rate, ratio, error) in rates.items():
        sys.stdout.write(f"{name:<18} {rate:8.1f} per second   {ratio:5.2f}   {error:.1e}\n")


if __name__ == "__main__":
    main()
