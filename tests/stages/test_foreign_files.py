"""What avloc did not write is never replaced, and what it writes beside a video says so by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from media_clips import run_ffmpeg
from workspaces import SmallWorkspace

import avloc
from avloc.errors import OutputError
from avloc.export.formats.saving import formats
from avloc.export.marks import refuse_foreign
from avloc.export.written_texts import WrittenTexts
from avloc.stages.localize.run import LocalizedVideo

pytestmark = pytest.mark.usefixtures("models_load_once")
THEIRS = b"the work of days"
PRODUCTS = {"heatmap": True, "figure": "png", "format": [*formats()]}


@pytest.fixture
def film(small_workspace: SmallWorkspace, tmp_path: Path) -> Path:
    """A video in a folder of its own."""
    path = tmp_path / "videos" / "film.mp4"
    path.parent.mkdir()
    shutil.copy(small_workspace.clips[0], path)
    return path


@pytest.mark.parametrize("overwrite", ["stale", "never", "always"])
def test_the_files_that_lie_beside_a_film_under_its_name_stay(
    small_workspace: SmallWorkspace, film: Path, overwrite: str
) -> None:
    suffixes = {*formats().values(), ".figure.png", ".label-studio.json"}
    theirs = [film.with_suffix(suffix) for suffix in sorted(suffixes)]
    for path in theirs:
        path.write_bytes(THEIRS)
    [answer] = avloc.localize(
        film, artifacts=small_workspace.artifacts, overwrite=overwrite, **PRODUCTS
    )
    assert answer.error is None
    assert {path.read_bytes() for path in theirs} == {THEIRS}
    made = {path.name for path in film.parent.iterdir()} - {film.name, *(p.name for p in theirs)}
    named = {f"film.avloc{suffix}" for suffix in [*formats().values(), ".figure.png"]}
    assert made == named | {"film.heatmap.mp4", "film.avloc.written"}
    assert {path.name for path in answer.written} == made - {"film.avloc.written"}


def test_a_text_that_was_corrected_is_never_replaced(
    small_workspace: SmallWorkspace, film: Path
) -> None:
    tiers, table, answer = (film.with_name(f"film.avloc.{end}") for end in ("eaf", "csv", "h5"))

    def run(**options: object) -> LocalizedVideo:
        given = {"artifacts": small_workspace.artifacts, "format": ["csv", "elan"], **options}
        return avloc.localize(film, **given)[0]

    run()
    assert tiers in run().written  # unchanged, it may be replaced
    tiers.write_text(tiers.read_text("utf-8") + " ", "utf-8")
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in (tiers, table, answer)]
    for overwrite in ("stale", "always"):
        refused = run(overwrite=overwrite, min_score=0.1)
        assert isinstance(refused.error, OutputError)
        assert f"{tiers} was changed" in str(refused.error)
    after = [(path.read_bytes(), path.stat().st_mtime_ns) for path in (tiers, table, answer)]
    assert after == before  # nothing was begun
    assert tiers in run(overwrite="never").kept
    tiers.unlink()
    assert run().error is None


def test_texts_without_a_record_are_avlocs_by_name(
    small_workspace: SmallWorkspace, film: Path
) -> None:
    """Such as those of an earlier version, or beside a record that is damaged."""
    record, text = film.with_name("film.avloc.written"), film.with_name("film.avloc.csv")
    for damaged in (None, b"[1]", b'{"film.avloc.srt": "0"}', b"\xff"):
        text.write_bytes(THEIRS)
        if damaged is not None:
            record.write_bytes(damaged)
        [answer] = avloc.localize(film, artifacts=small_workspace.artifacts, format=["csv"])
        assert answer.error is None
        assert text.read_bytes() != THEIRS
        assert json.loads(record.read_text("utf-8")).keys() >= {"film.avloc.csv"}
        record.unlink()


def test_a_text_that_is_half_recorded_is_avlocs(tmp_path: Path) -> None:
    written, text = WrittenTexts(tmp_path / "record"), tmp_path / "a.avloc.srt"
    with written.writing(text):
        text.write_text("first")
    written.refuse_changed(text)
    with pytest.raises(KeyboardInterrupt), written.writing(text):
        text.write_text("second")
        raise KeyboardInterrupt
    written.refuse_changed(text)
    with written.writing(text):
        text.write_text("third")
    text.write_text("corrected")
    with pytest.raises(OutputError, match="was changed"):
        written.refuse_changed(text)


def test_a_heat_map_of_somebody_elses_costs_its_video_and_stays(
    small_workspace: SmallWorkspace, film: Path
) -> None:
    theirs = film.with_name("film.heatmap.mp4")
    run_ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=8:duration=1", theirs)
    before = theirs.read_bytes()
    other = film.with_name("other.mp4")
    shutil.copy(film, other)
    first, second = avloc.localize(
        [film, other], artifacts=small_workspace.artifacts, heatmap=True, overwrite="always"
    )
    assert isinstance(first.error, OutputError)
    assert str(theirs) in str(first.error)
    assert theirs.read_bytes() == before
    assert not film.with_name("film.avloc.h5").exists()  # refused before work began
    assert second.error is None
    assert film.with_name("other.heatmap.mp4") in second.written


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("report", "notes.html"),
        ("figure", "notes.png"),
        ("figure", "notes.pdf"),
        ("figure", "notes.svg"),
    ],
)
def test_a_named_target_is_replaced_only_if_avloc_wrote_it(
    small_workspace: SmallWorkspace, film: Path, tmp_path: Path, option: str, name: str
) -> None:
    target = tmp_path / name
    target.write_bytes(THEIRS)

    def run() -> None:
        asked = {option: str(target), "out": tmp_path / "out"}
        avloc.localize(film, artifacts=small_workspace.artifacts, **asked)

    with pytest.raises(OutputError, match="not written by avloc"):
        run()
    assert target.read_bytes() == THEIRS
    assert not (tmp_path / "out").exists()
    target.unlink()
    run()
    own = target.read_bytes()
    target.touch()
    run()
    assert target.read_bytes()[:100] == own[:100]


def drawn_by_matplotlib(path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.text(0.5, 0.5, "avloc")
    figure.savefig(path)


def page_of_somebody(path: Path) -> None:
    path.write_text("<!DOCTYPE html><title>avloc</title><meta name='generator' content='Hugo'>")


def h5_of_somebody(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["avloc"] = [1.0]


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.png", drawn_by_matplotlib),
        ("a.pdf", drawn_by_matplotlib),
        ("a.svg", drawn_by_matplotlib),
        ("a.html", page_of_somebody),
        ("a.h5", h5_of_somebody),
        ("a.h5", lambda path: path.write_bytes(THEIRS)),
        ("a.mp4", lambda path: path.write_bytes(THEIRS)),
        ("a.txt", lambda path: path.write_text("avloc")),
    ],
)
def test_a_file_that_only_speaks_of_avloc_is_foreign(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    make(tmp_path / name)
    with pytest.raises(OutputError, match="not written by avloc") as refused:
        refuse_foreign(tmp_path / name)
    assert refused.value.hint
    refuse_foreign(tmp_path / "nothing.png")


def test_predictions_and_models_of_others_stay(small_workspace: SmallWorkspace) -> None:
    artifacts = small_workspace.artifacts
    predictions = artifacts / "predictions" / "cman-val.h5"
    model = artifacts / "models" / "theirs.h5"
    for path in (predictions, model):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(THEIRS)
    try:
        with pytest.raises(OutputError, match=r"cman-val\.h5 exists"):
            avloc.evaluate(artifacts=artifacts, split="val")
        with pytest.raises(OutputError, match=r"theirs\.h5 exists"):
            avloc.train(artifacts=artifacts, name="theirs")
        assert {path.read_bytes() for path in (predictions, model)} == {THEIRS}
    finally:
        predictions.unlink()
        model.unlink()
    avloc.evaluate(artifacts=artifacts, split="val")
    avloc.evaluate(artifacts=artifacts, split="val")  # its own it may replace
