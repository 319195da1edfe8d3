"""Measure avloc on a GPU, in one table; see ``tools/gpu_check.sh``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from gpu_report import SMALL, Check, Size
from gpu_training import epochs, from_files, training, unscaled
from random_weights import random_weights

from avloc.artifacts import FeatureStore
from avloc.decoding.clip_decoding import DecodingTask, Segment, decode_clip
from avloc.devices import choose_device
from avloc.features import Encoders, extract, load_encoders
from avloc.features.precision import has_bf16
from avloc.stages import bench, bench_extraction
from avloc.stages.bench_clips import make_clips

AVE_CLIPS = 4097  # videos of AVE; 3339 of its rows train and 402 validate


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="little of everything, to try it")
    parser.add_argument("--clips", type=int, help="clips to extract; default 640")
    parser.add_argument("--seconds", type=float, default=270, help="begin no step after these")
    parser.add_argument("--out", type=Path, default=Path("gpu_check.json"))
    asked = parser.parse_args()
    size = SMALL if asked.small else Size()
    size = replace(size, clips=asked.clips or size.clips)
    until = time.perf_counter() + asked.seconds
    check = Check(choose_device(asked.device), size, asked.out, until)
    bench_extraction._NETWORK_SECONDS = size.network_seconds
    with TemporaryDirectory(prefix="avloc-gpu-check-") as folder, random_weights():
        root = Path(folder)
        check.row("machine", str(bench.describe_machine(check.device)["machine"]))
        check.step("tests", tests)
        check.step("extraction", lambda check: extraction(check, root))
        check.step("precision", lambda check: precision(check, root))
        check.step("epoch", epochs)
        check.step("files", lambda check: from_files(check, root))
        check.step("unscaled", unscaled)
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
    done = subprocess.run(
        command, env=seen, capture_output=True, text=True, timeout=check.size.tests_seconds
    )
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
    n_frames, decode = bench_extraction.measure_decoding(videos[0], encoders)
    alone = bench_extraction.network_rate(encoders)
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
    """Compare fp16 and bf16 with fp32 features, and fp32 with the CPU's."""
    size, device = check.size, str(check.device)
    path = root / "clips" / "clip00000.mp4"
    single = load_encoders(size.visual, size.audio, device=device, precision="fp32")
    frames: list[torch.Tensor] = []
    for message in decode_clip(DecodingTask("clip", path, single.spec)):
        frames += map(torch.from_numpy, message.images if isinstance(message, Segment) else ())
    shown = torch.stack(frames[: size.frames_compared])
    expected = single.visual.encode(shown).cpu()
    rate = bench_extraction.network_rate(single)
    check.numbers["network_frames_per_second_fp32"] = rate
    check.row(f"{size.visual} alone, fp32", f"{rate:.0f} frames/s")
    here = load_encoders(size.visual, size.audio, device="cpu", runtime="eager")
    error = _error(expected[:16], here.visual.encode(shown[:16]))
    check.numbers["fp32_error_to_cpu"] = error
    check.row("fp32 against the CPU's features", _shown(error))
    for name in ("fp16", "bf16"):
        if name == "bf16" and not has_bf16(check.device):
            check.row("bf16", "not on this device")
            continue
        other = load_encoders(size.visual, size.audio, device=device, precision=name)
        error, rate = (
            _error(other.visual.encode(shown).cpu(), expected),
            bench_extraction.network_rate(other),
        )
        check.numbers |= {f"{name}_error": error, f"network_frames_per_second_{name}": rate}
        check.row(f"{name} against fp32 features", _shown(error))
        check.row(f"{size.visual} alone, {name}", f"{rate:.0f} frames/s")


def _error(value: torch.Tensor, truth: torch.Tensor) -> tuple[float, float]:
    """Return the largest difference, of the largest value; and the mean's, of the mean value."""
    difference, size = (value - truth).abs(), truth.abs()
    return float(difference.max() / size.max()), float(difference.mean() / size.mean())


def _shown(error: tuple[float, float]) -> str:
    return f"largest {error[0]:.1e} of the largest, mean {error[1]:.1e} of the mean"


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
