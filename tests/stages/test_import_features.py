"""Published features in: one file a video, nothing invented, nothing mixed, little memory."""

from __future__ import annotations

import hashlib
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from made_up import made_up
from published_layout import publish, read_array, write_array

import avloc
from avloc.datasets import load_dataset
from avloc.errors import DatasetError, FingerprintError
from avloc.stages.import_features import rows_by_video


def no_features(artifacts: Path) -> bool:
    return not list(artifacts.rglob("*.h5"))


@pytest.mark.parametrize(
    "stored", [{}, {"compression": "gzip", "chunks": (3, 1, 3, 3, 6)}], ids=["plain", "gzip"]
)
def test_a_videos_features_are_its_row(tmp_path: Path, stored: dict[str, object]) -> None:
    layout = publish(tmp_path / "in", **stored)
    done = avloc.import_features(layout.folder, artifacts=tmp_path / "a")
    assert (done.n_rows, done.n_done, done.n_skipped) == (8, 7, 0)
    assert (done.differing, done.absent) == ((), ())
    assert done.store.video_ids() == sorted(set(layout.video_ids))
    for row, video_id in enumerate(layout.video_ids):
        features = done.store.read(video_id)
        assert features.visual is not None
        assert features.audio is not None
        assert (features.visual == layout.visual[row].astype(np.float16)).all()
        assert (features.audio == layout.audio[row].astype(np.float32)).all()
        assert (features.visual.dtype, features.audio.dtype) == (np.float16, np.float32)
        assert features.segment_times.tolist() == [[k, k + 1] for k in range(10)]
        assert features.visual_valid.all()
        assert features.audio_valid.all()
        assert (features.frame_index, features.frame_size, features.flags) == (None, None, ())


def test_store_says_where_its_features_are_from(tmp_path: Path) -> None:
    layout = publish(tmp_path / "in")
    store = avloc.import_features(layout.folder, artifacts=tmp_path / "a").store
    spec = store.spec
    for name, weights in ((spec.visual, spec.visual_weights), (spec.audio, spec.audio_weights)):
        modality = name.removeprefix("published-")
        raw = (layout.folder / f"{modality}_feature.h5").read_bytes()
        assert weights == hashlib.sha256(raw).hexdigest()
    assert (spec.sampling, spec.fingerprint) == ("ave2018", store.fingerprint)
    assert store.dataset_root == str(layout.folder.resolve())
    assert store.read("park").source == f"{layout.folder.resolve()}/visual_feature.h5, row 7"


def test_absent_modality_is_none_and_says_so(tmp_path: Path) -> None:
    layout = publish(tmp_path / "in")
    (layout.folder / "visual_feature.h5").rename(tmp_path / "picture.h5")
    done = avloc.import_features(layout.folder, artifacts=tmp_path / "sound")
    features = done.store.read("yard")
    assert (done.absent, features.visual, features.flags) == (("visual",), None, ("no_video",))
    assert (features.visual_valid.any(), features.audio_valid.all()) == (False, True)
    (layout.folder / "audio_feature.h5").unlink()
    done = avloc.import_features(
        layout.folder, visual=tmp_path / "picture.h5", artifacts=tmp_path / "picture"
    )
    features = done.store.read("yard")
    assert (done.absent, features.audio, features.flags) == (("audio",), None, ("no_audio",))
    with pytest.raises(DatasetError, match=r"neither visual_feature.h5 nor audio_feature.h5"):
        avloc.import_features(layout.folder, artifacts=tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_rows_of_one_video_that_differ_are_named_and_the_first_is_taken(tmp_path: Path) -> None:
    layout = publish(tmp_path / "in")
    assert layout.video_ids[0] == layout.video_ids[2] == "-dog"
    nearly = layout.audio.copy()
    nearly[2] *= 1 + 1e-5  # another machine's rounding
    write_array(layout.folder / "audio_feature.h5", nearly)
    assert avloc.import_features(layout.folder, artifacts=tmp_path / "a").differing == ()
    other = layout.audio.copy()
    other[2] = other[1]
    write_array(layout.folder / "audio_feature.h5", other)
    for _ in range(2):  # a second run, which writes nothing, says it again
        done = avloc.import_features(layout.folder, artifacts=tmp_path / "b")
        assert done.differing == ("-dog",)
    assert (done.store.read("-dog").audio == other[0].astype(np.float32)).all()


def test_interrupted_import_goes_on_where_it_was(tmp_path: Path) -> None:
    layout = publish(tmp_path / "in")

    def interrupt(done: int, total: int, what: str) -> None:
        assert total == 7
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        avloc.import_features(layout.folder, artifacts=tmp_path / "a", progress=interrupt)
    assert len(list((tmp_path / "a" / "features" / "videos").iterdir())) == 3
    done = avloc.import_features(layout.folder, artifacts=tmp_path / "a")
    assert (done.n_done, done.n_skipped, len(done.store.video_ids())) == (4, 3, 7)


def test_features_of_another_file_never_mix(tmp_path: Path) -> None:
    layout = publish(tmp_path / "in")
    avloc.import_features(layout.folder, artifacts=tmp_path / "a")
    write_array(layout.folder / "audio_feature.h5", layout.audio + 1)
    with pytest.raises(FingerprintError, match=r"audio_weights: \w{64} here, \w{64} there"):
        avloc.import_features(layout.folder, artifacts=tmp_path / "a")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    lines = tuple(f"Bark&video{number}&good&0&10" for number in range(60))
    layout = publish(tmp_path / "in", lines, orders=None, side=7, channels=(64, 128))
    n_bytes = layout.visual.nbytes
    tracemalloc.start()
    avloc.import_features(layout.folder, artifacts=tmp_path / "a")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_bytes > 14e6
    assert peak < n_bytes / 4


def damaged(layout_folder: Path, **arrays: np.ndarray) -> Path:
    for name, array in arrays.items():
        write_array(layout_folder / f"{name}_feature.h5", array)
    return layout_folder


def test_arrays_that_do_not_fit_leave_no_store(tmp_path: Path) -> None:
    layout = publish(tmp_path / "in")
    artifacts = tmp_path / "a"
    for name, array, words in (
        ("visual", layout.visual[:7], r"visual_feature.h5: has 7 rows.* have 8"),
        ("audio", layout.audio[[*range(8), 0]], r"audio_feature.h5: has 9 rows.* have 8"),
        ("visual", layout.visual[:, :9], r"has 9 segments a row.* has 10"),
        ("visual", layout.visual[:, :, 0], r"has 4 dimensions .*, not 5"),
        ("audio", layout.visual, r"has 5 dimensions .*, not 3"),
        ("audio", np.full(layout.audio.shape, "x", dtype="S1"), "not floating-point numbers"),
    ):
        publish(tmp_path / "in")
        damaged(layout.folder, **{name: array})
        with pytest.raises(DatasetError, match=words):
            avloc.import_features(layout.folder, artifacts=artifacts)
        assert not artifacts.exists()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("visual", np.nan, "not finite"),
        ("audio", np.inf, "not finite"),
        ("visual", 1e5, "beyond 65504"),
        ("audio", -1e39, "beyond 3.40282e.38"),
    ],
)
@pytest.mark.parametrize("row", [4, 2], ids=["only row", "second row of a video"])
def test_values_a_store_cannot_hold_are_refused(
    tmp_path: Path, name: str, value: float, words: str, row: int
) -> None:
    layout = publish(tmp_path / "in")
    array = getattr(layout, name).copy()
    array[row, 9, ..., -1] = value
    damaged(layout.folder, **{name: array})
    with pytest.raises(DatasetError, match=rf"{name}_feature.h5: row {row} .*{words}") as caught:
        avloc.import_features(layout.folder, artifacts=tmp_path / "a")
    assert layout.video_ids[row] in str(caught.value)
    written = [path.stem for path in (tmp_path / "a").rglob("*.h5")]
    assert layout.video_ids[row] not in written


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    layout = publish(tmp_path / "in")
    path = layout.folder / "visual_feature.h5"
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(DatasetError, match=r"visual_feature.h5: .*truncated"):
        avloc.import_features(layout.folder, artifacts=tmp_path / "a")
    assert no_features(tmp_path / "a")


def test_store_of_extracted_features_is_left_alone(tmp_path: Path) -> None:
    world = made_up(tmp_path / "a", n_videos=2)
    before = sorted(path.read_bytes() for path in world.store.root.rglob("*.*"))
    with pytest.raises(FingerprintError, match="holds features"):
        avloc.import_features(publish(tmp_path / "in").folder, artifacts=tmp_path / "a")
    assert sorted(path.read_bytes() for path in world.store.root.rglob("*.*")) == before


@pytest.mark.real
def test_real_noisy_audio_is_not_of_the_real_rows(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "ave_published"
    audio = folder / "audio_feature_noisy.h5"
    with pytest.raises(DatasetError, match=r"has 178 rows.* have 4143") as caught:
        avloc.import_features(folder, audio=audio, artifacts=tmp_path)
    assert "--annotations" in caught.value.hint
    assert no_features(tmp_path)


@pytest.mark.real
def test_real_noisy_audio_beside_rows_of_its_own(real_data: Path, tmp_path: Path) -> None:
    """AVE's 178 background videos: their names are lost, their sound is not."""
    audio = real_data / "ave_published" / "audio_feature_noisy.h5"
    rows = tmp_path / "noisy.txt"
    rows.write_text("".join(f"Bark&noise{k:03d}&good&0&0\n" for k in range(178)))
    done = avloc.import_features(tmp_path, audio=audio, annotations=rows, artifacts=tmp_path / "a")
    assert (done.n_done, done.absent) == (178, ("visual",))
    expected = read_array(audio)
    for row in range(178):
        vectors = done.store.read(f"noise{row:03d}").audio
        assert vectors is not None
        assert (vectors == expected[row].astype(np.float32)).all()
    assert load_dataset(done.store.dataset_root).rows[177].video_id == "noise177"


@pytest.mark.real
def test_real_rows_are_4097_videos(real_data: Path) -> None:
    rows = rows_by_video(load_dataset(real_data / "ave_published"))
    assert len(rows) == 4097
    assert sum(map(len, rows.values())) == 4143
    assert sum(len(numbers) > 1 for numbers in rows.values()) == 45
