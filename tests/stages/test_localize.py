"""The stage ``localize``: where results go, what is kept, and what several models make."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from media_clips import run_ffmpeg
from workspaces import SmallWorkspace

import avloc
from avloc.artifacts import read_localization
from avloc.errors import AddressError, MediaError, UnknownNameError, UsageError
from avloc.media import comment_of
from avloc.stages.localize.run import LocalizedVideo
from avloc.stages.train import labelled_store

pytestmark = pytest.mark.usefixtures("models_load_once")


@pytest.fixture
def videos(small_workspace: SmallWorkspace, tmp_path: Path) -> Path:
    """A folder with two clips, one of them in a folder of its own."""
    root = tmp_path / "videos"
    (root / "deep" / "er").mkdir(parents=True)
    shutil.copy(small_workspace.clips[0], root / "one.mp4")
    shutil.copy(small_workspace.clips[1], root / "deep" / "er" / "two.mp4")
    return root


def stamps(root: Path) -> dict[str, int]:
    """Return when each file below was last written."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.stat().st_mtime_ns for path in files}


def test_a_folders_tree_is_kept(
    small_workspace: SmallWorkspace, videos: Path, tmp_path: Path
) -> None:
    before = stamps(videos)
    answers = avloc.localize(videos, artifacts=small_workspace.artifacts, out=tmp_path / "out")
    assert set(stamps(tmp_path / "out")) == {"one.avloc.h5", "deep/er/two.avloc.h5"}
    assert stamps(videos) == before
    assert [answer.error for answer in answers] == [None, None]


def test_what_is_there_and_still_holds_is_not_made_again(
    small_workspace: SmallWorkspace, videos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def run(**changes: object) -> list[LocalizedVideo]:
        options = {"artifacts": small_workspace.artifacts, "out": out, "heatmap": True} | changes
        return avloc.localize(videos, **options)

    first = run()
    made = stamps(out)
    assert [len(answer.written) for answer in first] == [2, 2]
    again = run()
    assert stamps(out) == made
    assert [(answer.written, len(answer.kept)) for answer in again] == [((), 2), ((), 2)]
    assert [answer.timeline.events for answer in again] == [a.timeline.events for a in first]
    # another look: the events hold, the heat maps do not
    run(alpha=0.2)
    changed = {name for name, stamp in stamps(out).items() if made[name] != stamp}
    assert changed == {"one.heatmap.mp4", "deep/er/two.heatmap.mp4"}
    # other rules: nothing holds
    made = stamps(out)
    run(alpha=0.2, min_seconds=11)
    assert all(made[name] != stamp for name, stamp in stamps(out).items())
    assert len(read_localization(out / "one.avloc.h5")) == 0
    # another video under an old name: what was made of it holds no more
    made = stamps(out)
    shutil.copy(small_workspace.clips[2], videos / "one.mp4")
    run(alpha=0.2, min_seconds=11)
    changed = {name for name, stamp in stamps(out).items() if made[name] != stamp}
    assert changed == {"one.avloc.h5", "one.heatmap.mp4"}


def test_never_and_always_are_taken_at_their_word(
    small_workspace: SmallWorkspace, videos: Path, tmp_path: Path
) -> None:
    out, artifacts = tmp_path / "out", small_workspace.artifacts
    avloc.localize(videos, artifacts=artifacts, out=out)
    made = stamps(out)
    avloc.localize(videos, artifacts=artifacts, out=out, min_seconds=11, overwrite="never")
    assert stamps(out) == made
    (out / "one.avloc.h5").write_bytes(b"damaged")
    avloc.localize(videos, artifacts=artifacts, out=out, overwrite="never")
    assert read_localization(out / "one.avloc.h5").video_id == "one"
    made = stamps(out)
    avloc.localize(videos, artifacts=artifacts, out=out, overwrite="always")
    assert all(made[name] != stamp for name, stamp in stamps(out).items())
    with pytest.raises(UnknownNameError, match="sometimes"):
        avloc.localize(videos, artifacts=artifacts, out=out, overwrite="sometimes")


def test_videos_of_one_name_are_distinguished(
    small_workspace: SmallWorkspace, videos: Path, tmp_path: Path
) -> None:
    (videos / "deep" / "er" / "two.mp4").rename(videos / "deep" / "one.mp4")
    answers = avloc.localize(videos, artifacts=small_workspace.artifacts, out=tmp_path / "out")
    names = [answer.timeline.video_id for answer in answers]
    assert names == [(videos / "deep" / "one.mp4").as_posix(), (videos / "one.mp4").as_posix()]
    [alone] = avloc.localize(
        videos / "one.mp4", artifacts=small_workspace.artifacts, out=tmp_path / "out"
    )
    assert alone.kept
    assert alone.timeline.video_id == "one"


def test_a_sound_beside_its_video_has_results_of_its_own(
    small_workspace: SmallWorkspace, videos: Path
) -> None:
    run_ffmpeg("-i", videos / "one.mp4", "-vn", videos / "one.wav")
    answers = avloc.localize(videos, artifacts=small_workspace.artifacts, format=["csv"])
    assert [answer.error for answer in answers] == [None] * 3
    made = {"one.mp4.avloc.h5", "one.wav.avloc.h5", "one.mp4.avloc.csv", "one.wav.avloc.csv"}
    assert made <= set(stamps(videos))
    assert "no picture" in answers[2].note


def test_a_missing_path_costs_only_itself(
    small_workspace: SmallWorkspace, videos: Path, tmp_path: Path
) -> None:
    paths = [tmp_path / "gone.mp4", videos / "one.mp4", "memory://none/a.mp4"]
    answers = avloc.localize(paths, artifacts=small_workspace.artifacts, out=tmp_path / "out")
    assert [type(answer.error) for answer in answers] == [MediaError, type(None), AddressError]
    assert answers[0].video == tmp_path / "gone.mp4"


def test_an_address_in_a_file_is_never_opened(
    small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/clip.mp4"
        playlist = tmp_path / "list.m3u8"
        playlist.write_text(f"#EXTM3U\n#EXTINF:10,\n{address}\n#EXT-X-ENDLIST\n")
        [answer] = avloc.localize(playlist, artifacts=small_workspace.artifacts, out=tmp_path)
        assert isinstance(answer.error, MediaError)
        with pytest.raises(TimeoutError):
            server.accept()


def test_nothing_is_written_to_nowhere(small_workspace: SmallWorkspace, videos: Path) -> None:
    before = stamps(videos)
    [answer, _] = avloc.localize(videos, artifacts=small_workspace.artifacts, write=False)
    assert answer.timeline is not None
    assert stamps(videos) == before
    with pytest.raises(UsageError, match="nothing is to be written"):
        avloc.localize(videos, artifacts=small_workspace.artifacts, write=False, heatmap=True)


@pytest.fixture(scope="module")
def two_models(small_workspace: SmallWorkspace) -> SmallWorkspace:
    """The small workspace with a second model, whose map is another."""
    avloc.train(
        artifacts=small_workspace.artifacts,
        model="avel",
        name="avel-small",
        epochs=1,
    )
    return small_workspace


def test_a_second_model_stands_beside_the_first(
    two_models: SmallWorkspace, videos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    [answer] = avloc.localize(
        videos / "one.mp4",
        model=["cman", "avel-small"],
        artifacts=two_models.artifacts,
        out=out,
        figure="svg",
        compare=str(out / "where.png"),
    )
    assert answer.error is None
    names = {"one.avloc.h5", "one.avloc.avel-small.h5", "one.avloc.figure.svg", "where.png"}
    assert set(stamps(out)) == names
    assert [one.model for one in (answer.timeline, *answer.others)] == ["cman", "avel"]
    assert read_localization(out / "one.avloc.avel-small.h5").model == "avel"
    drawn = (out / "one.avloc.figure.svg").read_text(encoding="utf-8")
    assert "cman" in drawn
    assert "avel-small" in drawn


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"figure": "gif"}, "kind of figure"),
        ({"figure": "all.png"}, "2 videos"),
        ({"compare": "png"}, "two models"),
        ({"format": ["cvs"]}, "format"),
        ({"heatmap_style": "turbot"}, "style"),
        ({"alpha": 2.0}, "alpha"),
        ({"keep": -1.0}, "keep"),
        ({"report": "videos/one.mp4"}, "not the name of a page"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_work_begins(
    small_workspace: SmallWorkspace, videos: Path, options: dict[str, object], word: str
) -> None:
    before = stamps(videos)
    with pytest.raises(UsageError, match=word):
        avloc.localize(videos, artifacts=small_workspace.artifacts, **options)
    assert stamps(videos) == before


def test_the_truth_of_a_data_set_is_shown(small_workspace: SmallWorkspace, tmp_path: Path) -> None:
    clip = small_workspace.clips[0]
    page = tmp_path / "report.html"
    avloc.localize(
        clip,
        artifacts=small_workspace.artifacts,
        out=tmp_path,
        dataset=small_workspace.data,
        report=page,
        heatmap=True,
    )
    truth = labelled_store(small_workspace.artifacts / "features")[1]
    events = truth.events_of(clip.stem)
    assert events
    text = page.read_text(encoding="utf-8")
    assert "True events" in text
    assert events[0].label in text
    assert "agrees with the truth for" in text
    assert "cman.h5" in text
    assert str(small_workspace.artifacts) not in text  # a page to pass on
    stamp = comment_of(tmp_path / f"{clip.stem}.heatmap.mp4")
    avloc.localize(clip, artifacts=small_workspace.artifacts, out=tmp_path, heatmap=True)
    assert comment_of(tmp_path / f"{clip.stem}.heatmap.mp4") != stamp  # the truth is gone from it


def test_an_interruption_leaves_what_is_done_and_the_report_of_it(
    small_workspace: SmallWorkspace, videos: Path, tmp_path: Path
) -> None:
    page, seen = tmp_path / "out" / "report.html", []

    def stop(answer: LocalizedVideo) -> None:
        seen.append(answer)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        avloc.localize(
            videos, artifacts=small_workspace.artifacts, out=page.parent, report=page, each=stop
        )
    [answer] = seen
    assert [path.name for path in answer.written] == ["two.avloc.h5"]
    assert read_localization(answer.written[0]).video_id == "two"
    text = page.read_text(encoding="utf-8")
    assert "two.mp4" in text
    assert "one.mp4" not in text


def test_progress_moves_within_a_video(small_workspace: SmallWorkspace, videos: Path) -> None:
    steps: list[tuple[float, int, str]] = []
    avloc.localize(
        videos,
        artifacts=small_workspace.artifacts,
        out=videos / "out",
        heatmap=True,
        progress=lambda done, total, what: steps.append((done, total, what)),
    )
    shares = [done for done, _, _ in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 2
    assert len({share for share in shares if 0 < share < 1}) > 10
    assert {total for _, total, _ in steps} == {2}
    assert "two.mp4: features 10/10 segments" in {what for _, _, what in steps}
    assert any(what.startswith("one.mp4: heat map") for _, _, what in steps)


def test_a_model_that_only_hears_refuses_a_silent_video(
    small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    import numpy as np

    from avloc.media import write_clip

    frames = [np.zeros((48, 64, 3), np.uint8) for _ in range(8)]
    write_clip(tmp_path / "silent.mp4", frames, 8, None, 16000)
    avloc.train(
        artifacts=small_workspace.artifacts,
        name="hears",
        epochs=1,
        set={"modalities": "audio", "where": False, "which": False, "width": 32},
    )
    [answer] = avloc.localize(
        tmp_path / "silent.mp4", artifacts=small_workspace.artifacts, model="hears"
    )
    assert isinstance(answer.error, MediaError)
    assert "no sound" in str(answer.error)
    [answer] = avloc.localize(tmp_path / "silent.mp4", artifacts=small_workspace.artifacts)
    assert answer.note.startswith("no sound: answered from the picture alone")
