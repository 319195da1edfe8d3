"""Clips made of photographs and recordings: which files, where they are seen, when heard."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_media import CLASSES, RATE, make_media, stroke, write_picture, write_sound
from PIL import Image

from avloc.datasets import SPLITS, Dataset, SynthesisConfig, load_dataset, synthesize
from avloc.datasets.synthetic.clip_plan import NEVER, ClipPlan
from avloc.datasets.synthetic.composition import compose
from avloc.datasets.synthetic.material import MediaMaterial
from avloc.datasets.synthetic.media_folders import split_files
from avloc.datasets.synthetic.recordings import read_recording, repeated
from avloc.datasets.synthetic.rendering import event_boxes, frames, soundtrack
from avloc.errors import AvlocError, DatasetError, OutputError, UsageError
from avloc.media import AUDIO_SUFFIXES

TINY = SynthesisConfig(n_train=6, n_val=3, n_test=3, width=128, height=96, fps=4, seconds=6)
QUIET = replace(TINY, picture_noise=0, sound_noise=0, silent=0, offscreen=0)


@pytest.fixture
def media(tmp_path: Path) -> dict[str, Path]:
    return make_media(tmp_path)


@pytest.fixture(scope="module")
def shared_media(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_media(tmp_path_factory.mktemp("media"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, shared_media: dict[str, Path]) -> Dataset:
    return synthesize(tmp_path_factory.mktemp("made"), TINY, workers=0, **shared_media)


def contents(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def files_of(folder: Path) -> dict[str, set[str]]:
    """Return the photographs and recordings of every split, as ``synthesis.json`` has them."""
    files: dict[str, set[str]] = {split: set() for split in SPLITS}
    for clip in json.loads((folder / "synthesis.json").read_text())["clips"].values():
        for one in (clip["source"], *clip["silent"], *clip["offscreen"]):
            files[clip["split"]] |= {one[key] for key in ("picture", "recording") if key in one}
    return files


def unseen(plan: ClipPlan) -> ClipPlan:
    """Return the clip without its source in the picture."""
    source = plan.sources[0]
    return replace(plan, sources=(replace(source, shown=replace(source.shown, seen=NEVER)),))


def are_disjoint(files: dict[str, set[str]]) -> bool:
    return sum(map(len, files.values())) == len(set.union(*files.values()))


def test_classes_are_the_folders_that_both_have(made):
    assert load_dataset(made.root) == made
    assert made.labels.names == CLASSES
    clips = json.loads((made.root / "synthesis.json").read_text())["clips"]
    for row in made.rows:
        source = clips[row.video_id]["source"]
        assert source["look"] == source["sound"] == row.label
        assert source["picture"].startswith(f"{row.label}/")
        assert source["recording"].startswith(f"{row.label}/")


def test_no_two_splits_share_a_file(made, shared_media):
    files = files_of(made.root)
    assert all(files.values())
    assert are_disjoint(files)
    material = MediaMaterial.of_folders(**shared_media)
    for parts in (*material.photographs, *material.recordings):
        assert [len(parts[split]) for split in SPLITS] == [4, 1, 1]
        assert are_disjoint({split: set(names) for split, names in parts.items()})


def test_other_seeds_leave_a_file_in_its_split(shared_media, tmp_path):
    for seed in (0, 1):
        config = replace(TINY, seed=seed)
        synthesize(tmp_path / str(seed), config, workers=0, **shared_media)
    files = [files_of(tmp_path / str(seed)) for seed in (0, 1)]
    assert are_disjoint({split: files[0][split] | files[1][split] for split in SPLITS})
    assert files[0] != files[1]


@pytest.mark.parametrize("n_groups", range(3, 12))
def test_takes_of_one_recording_stay_together(tmp_path, n_groups):
    (tmp_path / "cat").mkdir()
    for group in range(n_groups):
        for take in "AB"[: 1 + group % 2]:
            (tmp_path / "cat" / f"{group}-{take}.wav").touch()
    parts = split_files(tmp_path, "cat", AUDIO_SUFFIXES)
    groups = {split: {name.partition("-")[0] for name in parts[split]} for split in SPLITS}
    assert all(groups.values())
    assert are_disjoint(groups)
    assert sum(map(len, groups.values())) == n_groups


@pytest.mark.slow
def test_workers_make_the_same_bytes(made, shared_media, tmp_path):
    synthesize(tmp_path, TINY, workers=2, **shared_media)
    assert contents(tmp_path) == contents(made.root)


def test_a_run_goes_on_and_is_extended(made, shared_media, tmp_path):
    synthesize(tmp_path, replace(TINY, n_train=2, n_val=1, n_test=0), workers=0, **shared_media)
    synthesize(tmp_path, TINY, workers=0, **shared_media)
    assert contents(tmp_path) == contents(made.root)


def test_the_folder_is_for_these_files_only(media, tmp_path):
    config = replace(TINY, n_train=1, n_val=0, n_test=0)
    synthesize(tmp_path / "made", config, workers=0, **media)
    write_picture(media["pictures"] / "cat" / "another.png", 9)
    for others in (media, {}):
        with pytest.raises(OutputError, match=r"made with .*other photographs and recordings"):
            synthesize(tmp_path / "made", replace(config, n_classes=3), workers=0, **others)


def test_boxes_lie_where_the_photograph_is(shared_media):
    material = MediaMaterial.of_folders(**shared_media)
    for number in range(6):
        plan = compose(replace(QUIET, n_classes=3), "train", number)
        bare = unseen(plan)
        shown, empty = (np.stack(list(frames(one, QUIET, material))) for one in (plan, bare))
        differs = (shown != empty).any(axis=3)
        for second, boxes in enumerate(event_boxes(plan, QUIET, material)):
            is_source = differs[second * QUIET.fps : (second + 1) * QUIET.fps].any(axis=0)
            assert is_source.any() == (second in range(*plan.sources[0].shown.seen))
            assert len(boxes) == (plan.event[0] <= second < plan.event[1])
            for box in boxes:
                rows, columns = np.nonzero(is_source)
                found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
                assert np.array(box) * ([128, 96] * 2) == pytest.approx(found, abs=0.01)


def test_a_photograph_keeps_its_proportions(shared_media):
    material = MediaMaterial.of_folders(**shared_media)
    plan = compose(replace(QUIET, n_classes=3), "train", 0)
    name = material.describe(plan.sources[0].shown, "train")["picture"]
    with Image.open(shared_media["pictures"] / name) as image:
        width, height = image.size
    drawing, _, _ = material.motion(plan.sources[0].shown, "train", 960)(0.3)
    assert drawing.shape[1] / drawing.shape[0] == pytest.approx(width / height, rel=0.01)
    assert max(drawing.shape) > plan.sources[0].shown.size * 960


def test_a_recording_is_heard_in_every_second_and_nowhere_else(shared_media):
    material = MediaMaterial.of_folders(**shared_media)
    for number in range(9):
        plan = compose(replace(QUIET, n_classes=3), "train", number)
        track = soundtrack(plan, QUIET, material).reshape(QUIET.seconds, -1)
        level = np.sqrt((track**2).mean(axis=1))
        is_heard = np.isin(np.arange(QUIET.seconds), np.arange(*plan.sources[0].sound.heard))
        assert (level[~is_heard] == 0).all()
        assert level[is_heard].min() > 0.4 * plan.sources[0].sound.gain


def test_pauses_are_cut_and_the_pitch_is_kept(tmp_path):
    write_sound(tmp_path / "two.wav", np.concatenate([stroke(440), stroke(440)]))
    part = read_recording(tmp_path / "two.wav", 16000)
    assert 1.0 < len(part) / 16000 < 1.3  # of 6.4 s
    played = repeated(part, 5 * 16000, 16000)
    assert played.shape == (5 * 16000,)
    assert np.argmax(np.abs(np.fft.rfft(played))) / 5 == pytest.approx(440, abs=5)


def test_harder_settings_change_what_they_say_only(shared_media):
    easy = replace(TINY, offscreen=1, silent=0, n_classes=3)
    plan = compose(easy, "train", 0)
    loud = compose(replace(easy, offscreen_gain=20), "train", 0)
    assert loud.offscreen[0].gain == pytest.approx(10 * plan.offscreen[0].gain)
    assert replace(loud, offscreen=plan.offscreen) == plan
    small = compose(replace(easy, object_size=0.5), "train", 0)
    assert small.sources[0].shown.size == 0.5 * plan.sources[0].shown.size
    for width in (96, 128):
        large = replace(TINY, width=width, object_size=2)
        plans = [compose(large, "train", number) for number in range(60)]
        assert all(
            plan.sources[0].shown.class_index == plan.sources[0].class_index for plan in plans
        )


def test_settings_at_their_defaults_are_not_written(tmp_path):
    config = replace(TINY, n_train=1, n_val=0, n_test=0)
    for name, harder in (("easy", config), ("hard", replace(config, object_size=0.8))):
        synthesize(tmp_path / name, harder, workers=0)
        written = json.loads((tmp_path / name / "synthesis.json").read_text())["config"]
        assert {"media", "offscreen_gain"}.isdisjoint(written)
        assert written.get("object_size") == (None if name == "easy" else 0.8)


def refused(media: dict[str, Path], out: Path, kind: type[AvlocError], match: str) -> None:
    """See that nothing is made, and that the error says what and what next."""
    with pytest.raises(kind, match=match) as caught:
        synthesize(out, TINY, workers=0, **media)
    assert caught.value.hint
    assert not out.exists()


def test_too_few_files_are_refused(media, tmp_path):
    for number in range(2, 6):
        (media["sounds"] / "drum" / f"{number}.wav").unlink()
    refused(media, tmp_path / "out", DatasetError, "drum: has 2 files .* so 3 at least")


def test_folders_that_share_no_class_are_refused(media, tmp_path):
    media["sounds"] = tmp_path / "others"
    refused(media, tmp_path / "out", DatasetError, "others: cannot be read: No such file")
    (tmp_path / "others").mkdir()
    refused(media, tmp_path / "out", DatasetError, "pictures: shares 0 sub-folder names")


@pytest.mark.parametrize("name", ["a&b", "background", " a"])
def test_a_folder_that_can_be_no_label_is_refused(media, tmp_path, name):
    for folder in media.values():
        (folder / "drum").rename(folder / name)
    refused(media, tmp_path / "out", DatasetError, "is not a class")


@pytest.mark.parametrize("text", ["", "not what the suffix says"])
def test_a_file_that_is_not_what_it_says_is_refused(media, tmp_path, text):
    odd = media["sounds"] / "cat" / "odd.wav"
    odd.write_text(text)
    refused(media, tmp_path / "out", DatasetError, r"odd\.wav: has no readable sound")
    odd.unlink()
    (media["pictures"] / "cat" / "odd.jpg").write_text(text)
    refused(media, tmp_path / "out", DatasetError, r"odd\.jpg: is not a readable picture")


def test_damage_that_shows_late_is_named(media, tmp_path):
    for path in (media["pictures"] / "bell").iterdir():
        path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DatasetError, match=r"bell.\d\.png: is not a readable picture"):
        synthesize(tmp_path / "out", TINY, workers=0, **media)


def test_a_silent_recording_is_named(media, tmp_path):
    for path in (media["sounds"] / "bell").iterdir():
        write_sound(path, np.full(RATE, 0.2))
    with pytest.raises(DatasetError, match=r"bell.\d\.wav: is silent"):
        synthesize(tmp_path / "out", TINY, workers=0, **media)


def test_one_folder_alone_or_a_foreign_digest_is_a_usage_error(media, tmp_path):
    with pytest.raises(UsageError, match="go together"):
        synthesize(tmp_path / "out", TINY, pictures=media["pictures"])
    for folders in (media, {}):
        with pytest.raises(UsageError, match="other photographs and recordings"):
            synthesize(tmp_path / "out", replace(TINY, media="0" * 64), **folders)


@pytest.mark.real
def test_real_photographs_and_recordings(real_data, tmp_path):
    folders = {"pictures": real_data / "media" / "images", "sounds": real_data / "media" / "sounds"}
    if not all(folder.is_dir() for folder in folders.values()):
        pytest.skip("no photographs and recordings beside the real clips")
    config = SynthesisConfig(n_train=2, n_val=1, n_test=1, sound_noise=0, offscreen=0)
    dataset = synthesize(tmp_path, config, workers=0, **folders)
    assert len(dataset.rows) == 4
    assert are_disjoint(files_of(tmp_path))
    material = MediaMaterial.of_folders(**folders)
    for split, parts in (
        (s, p) for s in SPLITS for p in (*material.photographs, *material.recordings)
    ):
        share = len(parts[split]) / sum(map(len, parts.values()))
        assert share == pytest.approx(0.6 if split == "train" else 0.2, abs=0.1)
    for number in range(len(material.labels)):
        plan = compose(replace(config, n_classes=len(material.labels)), "test", number)
        level = np.sqrt((soundtrack(plan, config, material).reshape(10, -1) ** 2).mean(axis=1))
        assert level[slice(*plan.sources[0].sound.heard)].min() > 0.2 * plan.sources[0].sound.gain
