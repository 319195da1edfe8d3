"""A made data set on disk: read back, decoded, made again, gone on with."""

import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from media_clips import read_waveform

from avloc.datasets import Dataset, SynthesisConfig, load_dataset, synthesize
from avloc.datasets.synthetic.composition import compose
from avloc.datasets.synthetic.rendering import frames
from avloc.errors import DatasetError, OutputError, UsageError
from avloc.media import probe, sampled_segments
from avloc.timeline import Grid

TINY = SynthesisConfig(
    n_train=3, n_val=2, n_test=1, n_classes=3, width=128, height=96, fps=4, seconds=6
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return synthesize(tmp_path_factory.mktemp("made"), TINY, workers=0)


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_the_layout_is_read_back_like_ave(made):
    again = load_dataset(made.root)
    assert again == made
    assert again.n_segments == 6
    assert again.labels.names == ("ringing disc", "hissing square", "humming ring")
    assert again.coverage.present == again.coverage.total == 6
    assert [len(again.split(name)) for name in ("train", "val", "test")] == [3, 2, 1]
    assert (made.root / "Annotations.txt").read_text().startswith("Category&VideoID&Quality&")


def test_annotations_boxes_and_truth_agree(made):
    clips = json.loads((made.root / "synthesis.json").read_text())["clips"]
    boxes = json.loads((made.root / "boxes.json").read_text())
    assert list(clips) == list(boxes) == [row.video_id for row in made.rows]
    for row in made.rows:
        clip = clips[row.video_id]
        assert (clip["label"], clip["split"]) == (row.label, row.split)
        both = [max(clip["seen"][0], clip["heard"][0]), min(clip["seen"][1], clip["heard"][1])]
        assert clip["event"] == both == [row.start, row.end]
        is_event = made.targets(row, Grid(6)).classes != made.labels.background_index
        assert [box is not None for box in boxes[row.video_id]] == is_event.tolist()
        for box in filter(None, boxes[row.video_id]):
            assert 0 <= box[0] < box[2] <= 1
            assert 0 <= box[1] < box[3] <= 1


def test_clips_decode_to_what_was_drawn_and_played(made):
    plan = compose(TINY, "train", 1)
    path = made.videos[plan.video_id]
    info = probe(path)
    assert info.frame_size == (128, 96)
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 4
    assert abs(float(info.duration) - 6) < 0.2
    decoded = [s.images[s.which[0]] for s in sampled_segments(path, rate=4, grid=Grid(6))]
    drawn = np.stack(list(frames(plan, TINY)))[::4]
    assert np.abs(np.stack(decoded).astype(int) - drawn).mean() < 8
    wave = read_waveform(path)
    assert wave.rate == TINY.sound_rate
    level = np.sqrt(
        (wave.samples[: TINY.sound_rate * TINY.seconds].reshape(6, -1) ** 2).mean(axis=1)
    )
    heard = np.arange(*plan.sources[0].sound.heard)
    assert level[heard].min() > 0.5 * plan.sources[0].sound.gain


@pytest.mark.slow
def test_workers_make_the_same_bytes(made, tmp_path):
    steps = []
    synthesize(tmp_path, TINY, workers=2, progress=lambda *step: steps.append(step))
    assert contents(tmp_path) == contents(made.root)
    assert [(done, total) for done, total, _ in steps] == [(k, 6) for k in range(1, 7)]
    assert {what for _, _, what in steps} == set(made.videos)


def test_an_interrupted_run_goes_on_with_what_is_missing(made, tmp_path):
    synthesize(tmp_path, TINY, workers=0)
    (tmp_path / "Annotations.txt").unlink()
    (tmp_path / "AVE" / "val00001.mp4").unlink()
    kept = tmp_path / "AVE" / "train00000.mp4"
    kept.write_bytes(b"kept as it is")
    synthesize(tmp_path, TINY, workers=0)
    assert kept.read_bytes() == b"kept as it is"
    expected = contents(made.root) | {"AVE/train00000.mp4": b"kept as it is"}
    assert contents(tmp_path) == expected


def test_a_run_that_dies_leaves_whole_clips_and_no_annotations(tmp_path):
    def stop(done, total, what):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        synthesize(tmp_path, TINY, workers=0, progress=stop)
    assert sorted(contents(tmp_path)) == [
        "AVE/train00000.mp4",
        "AVE/train00001.mp4",
        "synthesis.json",
    ]


def test_a_data_set_can_be_extended_but_not_mixed(made, tmp_path):
    synthesize(tmp_path, replace(TINY, n_train=1, n_val=0, n_test=1), workers=0)
    synthesize(tmp_path, TINY, workers=0)
    assert contents(tmp_path) == contents(made.root)
    with pytest.raises(OutputError, match="holds clips made with seed 0, fps 4"):
        synthesize(tmp_path, replace(TINY, seed=1, fps=5), workers=0)
    assert contents(tmp_path) == contents(made.root)


def test_a_data_set_that_was_not_synthesised_is_left_alone(tmp_path):
    (tmp_path / "Annotations.txt").write_text("Bark&a&good&0&10\n")
    with pytest.raises(OutputError, match="holds a data set that was not synthesised"):
        synthesize(tmp_path, TINY, workers=0)
    assert list(contents(tmp_path)) == ["Annotations.txt"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config": {"fps": 0}}', '{"config": {"x": 1}}'])
def test_a_damaged_synthesis_file_is_named(tmp_path, text):
    (tmp_path / "Annotations.txt").write_text("Bark&a&good&0&5\n")
    (tmp_path / "synthesis.json").write_text(text)
    with pytest.raises(DatasetError, match=r"synthesis.json: does not hold the settings"):
        load_dataset(tmp_path)


def test_no_clip_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="needs a clip"):
        synthesize(tmp_path, SynthesisConfig(n_train=0, n_val=0, n_test=0))
