"""The whole product, as ``make demo`` runs it: on clips made here, and then on real ones."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from media_clips import run_ffmpeg
from workspaces import SmallWorkspace

import avloc
from avloc.artifacts import FeatureStore, read_localization
from avloc.datasets import find_senses, load_dataset, read_boxes
from avloc.evaluation.evaluator import evaluate
from avloc.evaluation.spatial import measure_attention, measure_centre
from avloc.media import probe
from avloc.tables.demonstration import Demo

SILENT = "bikes.mp4"
# at each push the one without sound, and the one of the oddest length and rate
DRAWN_ALWAYS = (SILENT, "MnH4tzgKXVc_000030_gt.mp4")
DRAWN_BY_TEST_ALL = (
    "1aDnyPubxdY_118000_128000.mp4",
    "20qZLse0acs_30000_40000.mp4",
    "54bz5yqN2IA_4000_14000.mp4",
    "Am5GHLnpl44_30.000_40.000.mp4",
    "bigbuckbunny.mp4",
)
FEATURES = {"visual": "efficientnet-lite0", "audio": "logmel", "offline": True}


@pytest.fixture
def demo_folder(demo: Demo) -> Path:
    return demo.report.parent


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_demo_needs_both_senses_and_beats_every_baseline(demo: Demo) -> None:
    numbers = json.loads(demo.results.read_text())
    both, sound, picture = (
        numbers[name]["events"]["labels"]["model"]["micro"]
        for name in ("cman", "audio-only", "visual-only")
    )
    answers = numbers["cman"]["events"]["labels"]
    assert both > max(f1["micro"] for name, f1 in answers.items() if name != "model") + 0.1
    assert both > max(sound, picture) + 0.1
    areas = numbers["cman"]["events"]["senses"]["labels"]["all"]
    assert min(areas["heard"], areas["seen"]) > 0.85  # 0.5 is chance
    spatial = numbers["spatial"]
    assert spatial["attention"]["pointing"] > spatial["centre"]["pointing"] + 0.2
    printed = {row[0]: row[1] for table in demo.tables for row in table.rows}
    assert printed["CMAN: sound and picture"] == f"{both:.1%}"
    assert printed["attention"] == f"{spatial['attention']['pointing']:.1%}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_demo_shows_clips_of_two_events_at_once_known_by_different_senses(
    demo: Demo, demo_folder: Path
) -> None:
    senses = find_senses(demo_folder / "data")
    assert senses is not None
    assert len(demo.heatmaps) == 3
    for heatmap in demo.heatmaps:
        labels = senses[heatmap.name.partition(".")[0]]
        known = [of_label.heard | of_label.seen for of_label in labels.values()]
        assert np.sum(known, axis=0).max() == 2
        kinds = {(bool(s.heard.any()), bool(s.seen.any())) for s in labels.values()}
        assert len(kinds) == 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_demos_report_leads_to_everything_it_names(demo: Demo) -> None:
    links: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            links.extend(value for name, value in attrs if name in ("href", "src") and value)

    Links().feed(demo.report.read_text(encoding="utf-8"))
    files = [link for link in links if not link.startswith(("data:", "#"))]
    assert len(files) >= 3 * len(demo.heatmaps)
    assert [link for link in files if not (demo.report.parent / link).is_file()] == []
    for heatmap in demo.heatmaps:
        assert probe(heatmap).has_audio


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_film_of_one_clip_over_and_over_has_its_answer_over_and_over(
    demo_folder: Path, tmp_path: Path
) -> None:
    localizer = avloc.load(demo_folder / "artifacts" / "models" / "cman.h5")
    n_same = n_all = 0
    for clip in sorted((demo_folder / "data" / "clips").glob("*.mp4"))[-5:]:
        film = tmp_path / "film.mp4"
        run_ffmpeg("-stream_loop", 3, "-i", clip, "-c:v", "libx264", "-c:a", "aac", film)
        once, often = localizer(clip), localizer(film)
        repeats = often.scores.reshape(4, *once.scores.shape)
        n_same += int(((repeats > 0.5) == (once.scores > 0.5)).all(-1).sum())
        n_all += often.grid.n_segments
    # where one repeat meets the next, an event has other neighbours than at a clip's end, and
    # each loop is some frames longer than the clip; that windows have no seams is held to
    # five digits on features (test_localization)
    assert n_same > 0.85 * n_all


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_real_clips_are_extracted_and_localized(
    real_data: Path, demo_folder: Path, tmp_path: Path
) -> None:
    clips = sorted((real_data / "clips").glob("*.mp4"))
    assert len(clips) == 7
    done = avloc.extract(real_data / "clips", artifacts=tmp_path, fps=1, **FEATURES)
    assert (done.report.n_done, done.report.failures) == (7, ())
    answers = avloc.localize(clips, artifacts=demo_folder / "artifacts", out=tmp_path / "out")
    assert [str(answer.error) for answer in answers if answer.error] == []
    for clip, answer in zip(clips, answers, strict=True):
        timeline = read_localization(tmp_path / "out" / f"{clip.stem}.avloc.h5")
        assert ("no_audio" in timeline.flags) == (clip.name == SILENT)
        assert np.isfinite(timeline.scores).all()
        assert timeline.events == answer.timeline.events


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "clip",
    [
        *DRAWN_ALWAYS,
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in DRAWN_BY_TEST_ALL),
    ],
)
def test_a_real_clips_heat_map_has_its_length_and_its_sound(
    clip: str, real_data: Path, demo_folder: Path, tmp_path: Path
) -> None:
    source = real_data / "clips" / clip
    [answer] = avloc.localize(
        source, artifacts=demo_folder / "artifacts", heatmap=True, out=tmp_path
    )
    assert answer.error is None
    rendered = probe(tmp_path / f"{source.stem}.heatmap.mp4")
    assert rendered.has_audio == probe(source).has_audio == (clip != SILENT)
    assert abs(float(rendered.duration - probe(source).duration)) < 0.2


@pytest.mark.real
@pytest.mark.slow
def test_the_three_ave_clips_are_extracted_and_the_rest_counted(
    real_data: Path, tmp_path: Path
) -> None:
    done = avloc.extract(real_data / "AVE_Dataset", artifacts=tmp_path, fps=4, **FEATURES)
    assert done.report.n_done == 3
    assert done.dataset is not None
    assert (
        done.dataset.coverage.present,
        done.dataset.coverage.total,
        len(done.dataset.coverage.missing),
    ) == (
        3,
        4097,
        4094,
    )
    for video_id in done.store.video_ids():
        features = done.store.read(video_id)
        assert features.visual is not None
        assert features.audio is not None
        assert features.visual.shape == (10, 7, 7, 320)
        assert features.audio.shape == (10, 128)


def test_attention_is_measured_where_events_are(small_workspace: SmallWorkspace) -> None:
    """A map that lies in the box exactly where there is one points right everywhere."""
    store = FeatureStore.open(small_workspace.artifacts / "features")
    dataset = load_dataset(small_workspace.data)
    boxes = read_boxes(small_workspace.data / "boxes.json")
    model = avloc.load(small_workspace.artifacts / "models" / "cman.h5").model_file
    predictions, _ = evaluate(model, store, dataset, "test")
    assert predictions.attention is not None
    n_boxes = 0
    for maps, video_id in zip(predictions.attention, predictions.video_ids, strict=True):
        for one, of_second in zip(maps, boxes[video_id], strict=True):
            one[:] = 0
            for box in of_second:
                n_boxes += 1
                x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
                one[int(7 * y), int(7 * x)] = 1
    spatial, centre = (f(predictions, boxes) for f in (measure_attention, measure_centre))
    assert (spatial.n_maps, centre.n_maps) == (n_boxes, n_boxes)
    assert n_boxes == sum(
        int((targets != dataset.labels.background_index).sum()) for targets in predictions.targets
    )
    assert spatial.pointing > 0.85  # a cell's middle may lie just outside a small box
