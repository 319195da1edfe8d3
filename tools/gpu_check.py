"""Measure avloc on a GPU, in one table; see ``tools/gpu_check.sh``."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from random_weights import random_weights

from avloc.artifacts import FeatureStore
from avloc.datasets import Dataset
from avloc.datasets.batches import Feed
from avloc.devices import choose_device
from avloc.features import Encoders, extract, load_encoders
from avloc.features.decoding import DecodingTask, Segment, decode_clip
from avloc.labels import LabelSet
from avloc.models import build
from avloc.spec import FeatureSpec
from avloc.stages import bench
from avloc.stages.bench_clips import make_clips
from avloc.stages.bench_training import measure_seconds, random_examples
from avloc.training import TrainingConfig, TrainingData, begin, loss_of, train_epoch
from avloc.training.fit import fit
from avloc.training.statistics import fit_scaling

CHANNELS = {"visual_channels": 2048, "audio_channels": 128, "n_classes": 29}
AVE_CLIPS = 4097  # videos of AVE; 3339 of its rows train and 402 validate


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    clips: int = 640
    frame: tuple[int, int] = (640, 360)
    visual: str = "resnet152"
    audio: str = "vggish"
    rows: tuple[int, int] = (3339, 402)
    epochs: int = 100
    frames_compared: int = 64
    network_seconds: float = 3.0


SMALL = Size(12, (96, 64), "resnet18", "logmel", (24, 8), 2, 4, 0.2)


@dataclass
class Check:
    """The measurements so far; written after each, so that nothing is lost at a time limit."""

    device: torch.device
    size: Size
    out: Path
    until: float  # of time.perf_counter; no further step begins after it
    began: float = field(default_factory=time.perf_counter)
    rows: list[tuple[str, str, str]] = field(default_factory=list)  # what, measured, aim
    numbers: dict[str, object] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def row(self, what: str, measured: str, aim: str = "") -> None:
        """Add a line to the table."""
        self.rows.append((what, measured, aim))
        print(f"{time.perf_counter() - self.began:6.1f} s  {what}: {measured}", flush=True)
        self.write()

    def step(self, name: str, run: Callable[[Check], None]) -> None:
        """Do a step; one that fails is a line of the table and does not stop the others."""
        if time.perf_counter() > self.until:
            self.row(name, "left out: the time is over")
            return
        began = time.perf_counter()
        try:
            run(self)
        except Exception as error:
            traceback.print_exc()
            self.failures.append(name)
            self.row(name, f"FAILED: {type(error).__name__}: {error}"[:200])
        self.numbers[f"{name}: seconds"] = time.perf_counter() - began
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def write(self) -> None:
        """Write what is known."""
        content = {"size": asdict(self.size), "rows": self.rows, "numbers": self.numbers}
        self.out.write_text(json.dumps(content | {"failures": self.failures}, indent=1))


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="little of everything, to try it")
    parser.add_argument("--seconds", type=float, default=270, help="begin no step after these")
    parser.add_argument("--out", type=Path, default=Path("gpu_check.json"))
    asked = parser.parse_args()
    size = SMALL if asked.small else Size()
    until = time.perf_counter() + asked.seconds
    check = Check(choose_device(asked.device), size, asked.out, until)
    bench._NETWORK_SECONDS = size.network_seconds
    with TemporaryDirectory(prefix="avloc-gpu-check-") as folder, random_weights():
        root = Path(folder)
        check.row("machine", str(bench._machine(check.device)["machine"]))
        check.step("tests", tests)
        check.step("extraction", lambda check: extraction(check, root))
        check.step("precision", lambda check: precision(check, root))
        check.step("epoch", epochs)
        check.step("training", lambda check: training(check, root))
    widths = [max(len(row[k]) for row in check.rows) for k in range(3)]
    for row in [("what", "measured", "aim"), *check.rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    return bool(check.failures)


def tests(check: Check) -> None:
    """Run the tests marked ``gpu``."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider"]
    command += ["tests/features/test_encoding_on_gpu.py", "tests/training/test_training_on_gpu.py"]
    seen = os.environ | {"AVLOC_GPU": check.device.type}
    done = subprocess.run(command, env=seen, capture_output=True, text=True, timeout=150)
    last = done.stdout.strip().splitlines()[-1:] or [done.stderr[-200:]]
    check.numbers["tests: output"] = done.stdout[-12_000:]
    if done.returncode:
        print(done.stdout[-5000:], done.stderr[-1000:])
        check.failures.append("tests")
    check.row("tests marked gpu", last[0].strip("= "))


def extraction(check: Check, root: Path) -> None:
    """Measure extraction end to end, and its parts."""
    size = check.size
    videos = make_clips(root / "clips", size.clips, *size.frame)
    encoders = load_encoders(size.visual, size.audio, device=str(check.device))
    n_frames, decode = bench._decode(videos[0], encoders)
    alone = bench._network_rate(encoders)
    check.row(f"{size.visual} alone, full batches", f"{alone:.0f} frames/s")
    check.row("decoding on one core", f"{decode:.2f} s a clip")
    start, rate = _steady_rate(videos, encoders, root / "store")
    ave = start + AVE_CLIPS / rate
    check.numbers |= {
        "encoders": f"{size.visual} and {size.audio}, {encoders.spec.precision}",
        "n_frames": n_frames,
        "decode_core_seconds": decode,
        "network_frames_per_second": alone,
        "start_seconds": start,
        "clips_per_second": rate,
        "busy_share": rate * n_frames / alone,
        "ave_seconds": ave,
    }
    if check.device.type == "cuda":
        check.numbers["extraction_gib"] = torch.cuda.max_memory_allocated() / 2**30
    check.row("extraction, end to end", f"{rate:.2f} clips/s, {rate * n_frames:.0f} frames/s")
    check.row("share of the network alone", f"{rate * n_frames / alone:.0%}", "busy")
    check.row("AVE's 4097 clips", f"{ave:.0f} s (start {start:.1f} s)", "180 s")


def _steady_rate(
    videos: list[tuple[str, Path]], encoders: Encoders, folder: Path
) -> tuple[float, float]:
    """Return the seconds before the steady part, and its clips per second."""
    began, ends = time.perf_counter(), []

    def watch(done: int, _total: int, _what: str) -> None:
        ends.append((done, time.perf_counter() - began))

    store = FeatureStore.create(folder, encoders.spec)
    report = extract(videos, store, encoders, progress=watch)
    if report.failures:
        raise RuntimeError(report.failures[0].reason)
    first, last = ends[len(ends) // 4], ends[-max(1, len(ends) // 20)]
    rate = (last[0] - first[0]) / max(last[1] - first[1], 1e-9)
    return max(0.0, first[1] - first[0] / rate), rate


def precision(check: Check, root: Path) -> None:
    """Compare fp16 with fp32 features, and fp32 with the CPU's."""
    size, device = check.size, str(check.device)
    path = root / "clips" / "clip00000.mp4"
    single = load_encoders(size.visual, size.audio, device=device, precision="fp32")
    frames: list[torch.Tensor] = []
    for message in decode_clip(DecodingTask("clip", path, single.spec)):
        frames += map(torch.from_numpy, message.images if isinstance(message, Segment) else ())
    shown = torch.stack(frames[: size.frames_compared])
    expected = single.visual.encode(shown).cpu()
    half = load_encoders(size.visual, size.audio, device=device, precision="fp16")
    rounded = half.visual.encode(shown).cpu()
    here = load_encoders(size.visual, size.audio, device="cpu", runtime="eager")
    on_cpu = here.visual.encode(shown[:16])
    errors = {"fp16": _error(rounded, expected), "cpu": _error(expected[:16], on_cpu)}
    rate = bench._network_rate(single)
    check.numbers |= {"fp16_error": errors["fp16"], "fp32_error_to_cpu": errors["cpu"]}
    check.numbers["network_frames_per_second_fp32"] = rate
    check.row("fp16 against fp32 features", _shown(errors["fp16"]))
    check.row("fp32 against the CPU's features", _shown(errors["cpu"]))
    check.row(f"{size.visual} alone, fp32", f"{rate:.0f} frames/s")


def _error(value: torch.Tensor, truth: torch.Tensor) -> tuple[float, float]:
    """Return the largest difference, of the largest value; and the mean's, of the mean value."""
    difference, size = (value - truth).abs(), truth.abs()
    return float(difference.max() / size.max()), float(difference.mean() / size.mean())


def _shown(error: tuple[float, float]) -> str:
    return f"largest {error[0]:.1e} of the largest, mean {error[1]:.1e} of the mean"


def epochs(check: Check) -> None:
    """Measure an epoch of CMAN: held on the device and streamed, in bf16 and in fp32."""
    examples = random_examples(check.size.rows[0])
    for hold in (True, False):
        began = time.perf_counter()
        feed = Feed(examples, check.device, hold=hold)
        if hold:
            check.row("copying the split to the device", f"{time.perf_counter() - began:.1f} s")
        for kind in ("bf16", "fp32"):
            seconds = _epoch(feed, kind, 3 if hold else 1)
            name = f"epoch of {len(examples)} rows, {'held' if hold else 'streamed'}, {kind}"
            check.numbers[name] = seconds
            check.row(name, f"{seconds:.2f} s, {len(examples) / seconds:.0f} rows/s")
        del feed


def _epoch(feed: Feed, kind: str, n_timed: int) -> float:
    config = TrainingConfig(precision=kind)
    torch.manual_seed(0)
    model = build("cman", **CHANNELS)
    state, loss = begin(model.to(feed.device), config), loss_of(config)
    few = replace(feed.examples, entries=feed.examples.entries[:128])
    train_epoch(state, Feed(few, feed.device, hold=False), config, loss)  # loads the libraries
    run = (state, feed, config, loss)
    return median(measure_seconds(feed.device, train_epoch, *run) for _ in range(n_timed))


def training(check: Check, root: Path) -> None:
    """Train as on AVE: statistics, epochs and validation."""
    n_train, n_val = check.size.rows
    data = TrainingData(random_examples(n_train), random_examples(n_val), "val split")
    labels = LabelSet(tuple(f"label{k}" for k in range(28)))
    dataset = Dataset("made", root, labels, (), n_segments=10)
    store = FeatureStore.create(root / "trained", FeatureSpec("", "", "", ""))
    config = TrainingConfig(epochs=check.size.epochs, patience=0)
    began = time.perf_counter()
    fit_scaling(build("cman", **CHANNELS), data.statistics)  # kept for the training below
    measured = time.perf_counter() - began
    model = fit(store, dataset, config=config, device=check.device, data=data)
    seconds = time.perf_counter() - began
    an_epoch = median(model.history["seconds"])
    check.numbers |= {
        "training_seconds": seconds,
        "statistics_seconds": measured,
        "training_epoch_seconds": an_epoch,
        "train_loss": model.history["train_loss"],
    }
    if check.device.type == "cuda":
        check.numbers["training_gib"] = torch.cuda.max_memory_allocated() / 2**30
    check.row(
        f"{config.epochs} epochs of {n_train} + {n_val} rows",
        f"{seconds:.1f} s (statistics {measured:.1f} s, an epoch {an_epoch:.2f} s)",
        "60 s",
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
