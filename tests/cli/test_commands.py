"""What each command does when all goes well, on a small made data set."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas
import pytest
from commands import Shell
from workspaces import SmallWorkspace

from avloc.artifacts import read_localization, read_model, read_predictions
from avloc.media import probe


def test_second_extract_does_nothing_again(avloc: Shell, small_workspace: SmallWorkspace) -> None:
    ended = avloc(
        *("extract", small_workspace.data, "--artifacts", small_workspace.artifacts),
        *("--visual", "efficientnet-lite0", "--audio", "logmel", "--fps", 1),
    )
    assert (ended.code, ended.out) == (0, "")
    assert "0 extracted, 18 already there" in ended.err


def test_dry_run_lists_and_writes_nothing(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    ended = avloc("extract", small_workspace.data, "--dry-run", "--artifacts", tmp_path / "a")
    listed = dict(line.split("\t") for line in ended.out.splitlines())
    assert sorted(listed) == [clip.stem for clip in small_workspace.clips]
    said = ended.err.splitlines()
    assert said[0] == "18 videos"
    assert said[1].split() == ["label", "train", "val", "test"]
    numbers = [line.split()[-3:] for line in said[2:]]
    assert len(numbers) == 3  # classes
    assert [sum(map(int, column)) for column in zip(*numbers, strict=True)] == [10, 4, 4]
    assert not (tmp_path / "a").exists()


def test_train_and_eval_need_no_arguments(
    avloc: Shell, small_workspace: SmallWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_workspace.artifacts.parent)
    ended = avloc("train", "--epochs", 1, "--name", "quick", "--set", "width=32")
    assert ended.code == 0
    assert ended.err.splitlines()[-1] == "wrote artifacts/models/quick.h5"
    assert read_model("artifacts/models/quick.h5").config["width"] == 32
    ended = avloc("eval")
    assert ended.code == 0
    assert "class oracle (told each clip's class, never background)" in ended.out
    assert "the most frequent in training" in ended.out
    assert ended.err.splitlines()[-1] == "wrote artifacts/predictions/cman-test.h5"
    assert read_predictions("artifacts/predictions/cman-test.h5").scores.shape == (4, 10, 3)


def test_eval_formats_say_the_same(avloc: Shell, small_workspace: SmallWorkspace) -> None:
    place = ("--artifacts", small_workspace.artifacts)
    numbers = json.loads(avloc("eval", *place, "--format", "json").out)
    table = pandas.read_csv(io.StringIO(avloc("eval", *place, "--format", "csv").out))
    assert list(table.columns) == ["model", "split", "decode", "without", "metric", "value"]
    assert table["value"].dtype == float
    assert not table["metric"].duplicated().any()
    value = dict(zip(table["metric"], table["value"], strict=True))
    for name in ("segment_accuracy", "majority_accuracy", "class_oracle_accuracy", "n_rows"):
        assert value[name] == numbers[name]
    assert [value["interval.low"], value["interval.high"]] == numbers["interval"]
    for entry in numbers["classes"]:
        assert value[f"classes.{entry['name']}.recall"] == entry["recall"]
    first, last = numbers["classes"][0]["name"], numbers["classes"][-1]["name"]
    assert value[f"confusion.{first}.{last}"] == numbers["confusion"][0][-1]
    auc = numbers["spatial"]["half"]["attention"]["auc"]
    assert value["spatial.half.attention.auc"] == auc
    shown = avloc("eval", *place, "--per-class").out
    assert f"{numbers['segment_accuracy']:.1%}" in shown
    assert "By class" in shown


def test_eval_titles_a_row_by_the_models_file(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    model = tmp_path / "weak.h5"
    model.write_bytes((small_workspace.artifacts / "models" / "cman.h5").read_bytes())
    command = ("eval", "--artifacts", small_workspace.artifacts, "--model", model)
    assert "│ weak " in avloc(*command).out
    assert json.loads(avloc(*command, "--format", "json").out)["model"] == "weak"


def test_localize_writes_beside_the_clip(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clip.mp4").write_bytes(small_workspace.clips[0].read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AVLOC_ARTIFACTS", str(small_workspace.artifacts))
    ended = avloc("localize", "clip.mp4", "--heatmap", "--format", "csv", "--format", "srt")
    assert ended.code == 0, ended.err
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "clip.mp4",
        "clip.avloc.h5",
        "clip.heatmap.mp4",
        "clip.avloc.csv",
        "clip.avloc.srt",
        "clip.avloc.written",
    }
    timeline = read_localization("clip.avloc.h5")
    assert timeline.scores.shape == (10, 3)
    for event in timeline:
        assert event.label in " ".join(ended.out.split())
    rendered, source = probe(Path("clip.heatmap.mp4")), probe(Path("clip.mp4"))
    assert rendered.has_audio
    assert abs(float(rendered.duration - source.duration)) < 0.1


def test_localize_prints_the_events_that_the_rules_leave(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    place = ("--artifacts", small_workspace.artifacts, "--out", tmp_path)
    clip = small_workspace.clips[0]
    answer = tmp_path / f"{clip.stem}.avloc.h5"
    assert avloc("localize", clip, *place, "--keep", 0).code == 0
    everything = read_localization(answer)
    assert sum(event.end - event.start for event in everything) in (0, 10)  # it grows to the rim
    assert avloc("localize", clip, *place, "--min-seconds", 11).out.strip().endswith("no events")
    assert len(read_localization(answer)) == 0
    ended = avloc("localize", clip, *place, "--label", "barkin")
    assert (ended.code, ended.out) == (2, "")
    assert "label" in ended.err
    assert avloc("localize", clip, *place, "--min-score", 1.5).code == 2


def test_localize_goes_on_after_a_bad_file(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    good = small_workspace.clips[0]
    place = ("--artifacts", small_workspace.artifacts, "--out", tmp_path / "out")
    ended = avloc("localize", tmp_path / "text.mp4", good, *place)
    assert ended.code == 3
    assert "text.mp4" in ended.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == [f"{good.stem}.avloc.h5"]


def test_paths_come_from_stdin(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = "".join(f"{clip}\n" for clip in small_workspace.clips[:2])
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    assert len(avloc("extract", "-", "--dry-run").out.splitlines()) == 2
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    place = ("--artifacts", small_workspace.artifacts, "--out", tmp_path)
    assert avloc("localize", "-", *place).code == 0
    assert len(list(tmp_path.glob("*.avloc.h5"))) == 2


def test_inspect_shows_every_kind(avloc: Shell, small_workspace: SmallWorkspace) -> None:
    artifacts = small_workspace.artifacts
    avloc("eval", "--artifacts", artifacts)
    for place, kind, word in (
        ("features", "feature store", "efficientnet-lite0"),
        (f"features/videos/{small_workspace.clips[0].stem}.h5", "features", "(10, 7, 7, 320)"),
        ("models/cman.h5", "model", "val_accuracy"),
        ("predictions/cman-test.h5", "predictions", "gate_visual"),
    ):
        ended = avloc("inspect", artifacts / place)
        assert ended.code == 0
        assert ended.out.splitlines()[0].endswith(f": {kind}")
        assert word in ended.out
        assert json.loads(avloc("inspect", artifacts / place, "--json").out)["kind"] == kind


def test_inspect_sums_weights_up_and_lists_them_when_asked(
    avloc: Shell, small_workspace: SmallWorkspace
) -> None:
    path = small_workspace.artifacts / "models" / "cman.h5"
    weights = read_model(path).weights
    n_parameters = sum(array.size for array in weights.values())
    shown = avloc("inspect", path).out
    n_bytes = sum(array.nbytes for array in weights.values())
    assert f"{len(weights)} tensors, {n_parameters:,} parameters, {n_bytes:,} bytes" in shown
    assert [name for name in weights if name in shown] == []
    listed = avloc("inspect", path, "--all").out
    table = json.loads(avloc("inspect", path, "--json").out)["table"]
    assert [name for name in weights if name not in listed] == []
    assert {row["array"]: row["shape"] for row in table if "weights/" in row["array"]} == {
        f"weights/{name}": str(array.shape) for name, array in weights.items()
    }


def test_doctor_finds_this_installation_sound(avloc: Shell) -> None:
    ended = avloc("doctor")
    assert ended.code == 0
    assert [line for line in ended.out.splitlines() if not line.startswith("ok ")] == []
    assert "torchaudio" in ended.out


def test_doctor_names_a_mismatch_in_words(avloc: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    import avloc.stages.doctor as installation

    real = installation.import_module

    def refusing(name: str) -> object:
        if name == "torchaudio":
            raise OSError("libcudart.so.13: cannot open shared object file")
        return real(name)

    monkeypatch.setattr(installation, "import_module", refusing)
    ended = avloc("doctor")
    assert ended.code == 1
    (bad,) = [line for line in ended.out.splitlines() if line.startswith("BAD")]
    assert "must come from one build" in bad
    assert "requirements.lock" in bad


def test_synth_writes_aves_layout(avloc: Shell, tmp_path: Path) -> None:
    sizes = ("--train", 2, "--val", 1, "--test", 1, "--classes", 2)
    ended = avloc("synth", tmp_path / "data", *sizes)
    assert ended.code == 0
    assert {"Annotations.txt", "trainSet.txt", "valSet.txt", "testSet.txt", "boxes.json"} <= {
        path.name for path in (tmp_path / "data").iterdir()
    }
    assert len(list((tmp_path / "data" / "AVE").glob("*.mp4"))) == 4


def test_synth_takes_any_setting(avloc: Shell, tmp_path: Path) -> None:
    sizes = ("--train", 1, "--val", 1, "--test", 1, "--set", "seconds=4", "--set", "silent=0")
    assert avloc("synth", tmp_path / "data", *sizes).code == 0
    config = json.loads((tmp_path / "data" / "synthesis.json").read_text())["config"]
    assert (config["n_train"], config["seconds"], config["silent"]) == (1, 4, 0.0)


def test_synth_makes_several_events_and_says_how_much_disagrees(
    avloc: Shell, tmp_path: Path
) -> None:
    sizes = ("--train", 2, "--val", 1, "--test", 1, "--set", "seconds=4")
    ended = avloc("synth", tmp_path / "data", *sizes, "--events", 2, "--set", "heard_only=1")
    assert ended.code == 0
    assert "4 clips of" in ended.err
    assert "sound and picture disagree in" in ended.err
    lines = (tmp_path / "data" / "manifest.csv").read_text().splitlines()
    assert all(line.endswith(",heard") for line in lines[1:])
    assert len(list((tmp_path / "data" / "clips").glob("*.mp4"))) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "sound_noise"), "not KEY=VALUE"),
        (("--events", 7), "need as many classes"),
        (("--set", "heard_only=0.7", "--set", "late=0.7"), "add up to 1.4"),
        (("--set", "inconsistent_seconds=2"), "-1 and at most 1"),
        (("--set", "sound_noice=1"), "sound_noise"),
        (("--set", "sound_noise=loud"), "cannot be 'loud'"),
        (("--pictures", "here", "--sounds", "there", "--classes", 3), "Leave --classes out"),
        (("--pictures", "here"), "go together"),
    ],
)
def test_synth_refuses_invalid_arguments(
    avloc: Shell, tmp_path: Path, arguments: tuple[object, ...], message: str
) -> None:
    ended = avloc("synth", tmp_path / "data", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert not (tmp_path / "data").exists()


def test_localizing_a_folder_again_does_not_take_its_own_heatmaps(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    (tmp_path / "clip.mp4").write_bytes(small_workspace.clips[0].read_bytes())
    command = ("localize", tmp_path, "--heatmap", "--artifacts", small_workspace.artifacts)
    assert avloc(*command).code == 0
    first = {path.name for path in tmp_path.iterdir()}
    assert first == {"clip.mp4", "clip.avloc.h5", "clip.heatmap.mp4"}
    assert avloc(*command).code == 0
    assert {path.name for path in tmp_path.iterdir()} == first
    assert len(avloc("extract", tmp_path, "--dry-run").out.splitlines()) == 1
