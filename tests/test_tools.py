"""What ``tools/`` measures for BENCHMARKS.md."""

import json
import os
import subprocess
import sys
from pathlib import Path

import compare_networks
import compare_video_features
import pytest
import torch
from random_weights import random_weights

from avloc.features import load_encoders


def test_random_weights_stand_in_for_missing_files_only(tmp_path, monkeypatch):
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def fingerprint(visual):
        return load_encoders(visual, "logmel", runtime="eager", device="cpu").spec.fingerprint

    with random_weights():
        assert fingerprint("resnet18") == fingerprint("resnet18")
        inside = fingerprint("efficientnet-lite0")
    assert fingerprint("efficientnet-lite0") == inside


@pytest.mark.exhaustive  # tests/features/test_runtimes.py compares the runtimes at each push
def test_the_ways_to_run_a_network_give_the_same():
    device = torch.device("cpu")
    with torch.inference_mode():
        frames = torch.randn(2, 3, 224, 224)
        ways = compare_networks.runtimes("efficientnet-lite0", frames)
        rates = compare_networks.compare(ways, 2, device, seconds=0.1)
    assert rates["as built"][1:] == (1, 0)
    assert {"batch norm folded", "channels-last", "eager: both", "onnx"} <= set(rates)
    exact = {name: error for name, (_, _, error) in rates.items() if "bf16" not in name}
    assert all(error < 1e-5 for error in exact.values())


def test_the_sentinels_are_the_same_in_steps():
    device = torch.device("cpu")
    rates = compare_networks.compare(compare_networks.sentinels(device, 2), 2, device, 0.01)
    assert all(rate > 0 and error < 1e-5 for rate, _, error in rates.values())


def test_video_features_is_looked_for_where_the_command_says(tmp_path):
    command = [sys.executable, compare_video_features.__file__, "--checkout", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"error: {tmp_path} is not a checkout of video_features\nClone" in done.stderr


def test_ratios_are_of_rounds_and_not_of_medians(capsys):
    rounds = {"video_features": (8, 40, 10), "avloc, fp32": (4, 10, 10)}
    compare_video_features.show(
        {
            side: [{"frames": 160, "seconds": s, "CPU seconds": 2 * s} for s in seconds]
            for side, seconds in rounds.items()
        }
    )
    first, second = capsys.readouterr().out.splitlines()
    assert "seconds 1.00 (1.00 to 1.00)" in first
    assert "16.0 frames/s   seconds 2.00 (1.00 to 4.00)   CPU seconds 2.00" in second


GPU_STEPS = ["tests", "extraction", "precision", "epoch", "files", "unscaled", "training"]


def test_the_check_of_a_gpu_begins_no_step_when_the_time_is_over(tmp_path):
    status, printed, written = gpu_check(tmp_path, "--clips", "2", "--seconds", "0")
    assert status == 0, printed
    assert [row[0] for row in written["rows"]] == ["machine", *GPU_STEPS]
    assert all("left out" in row[1] for row in written["rows"][1:])
    table = printed[printed.index("\nwhat") :]
    assert [line.split()[0] for line in table.split("\n")[2:10]] == ["machine", *GPU_STEPS]
    assert (written["size"]["clips"], written["failures"]) == (2, [])


@pytest.mark.exhaustive  # 43 s; the test above runs the same command without its steps
def test_the_check_of_a_gpu_takes_every_step(tmp_path):
    status, printed, written = gpu_check(tmp_path, "--clips", "2", "--seconds", "600")
    assert status == 0, printed
    assert written["failures"] == []
    assert {f"{step}: seconds" for step in GPU_STEPS} <= set(written["numbers"])
    measured = " ".join(row[0] for row in written["rows"])
    for what in (
        "decoding",
        "clips",
        "fp16",
        "bf16",
        "held, bf16",
        "streamed, fp32",
        "in files, 2 processes",
        "unscaled",
        "2 epochs",
    ):
        assert what in measured


def gpu_check(folder, *arguments):
    """Run the script on the CPU; return its status, what it printed, and what it wrote."""
    script, out = Path(compare_networks.__file__).with_name("gpu_check.sh"), folder / "gpu.json"
    command = ["bash", script, "--small", "--device", "cpu", "--out", out, *arguments]
    where = os.environ | {"PYTHON": sys.executable, "SITE": str(folder / "site")}
    done = subprocess.run(command, env=where, capture_output=True, text=True, timeout=600)
    written = json.loads(out.read_text()) if out.exists() else {}
    return done.returncode, done.stdout + done.stderr, written
