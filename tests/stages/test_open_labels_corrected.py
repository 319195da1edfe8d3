"""From no labels to a calibrated model: `avloc label` and `avloc calibrate` with the open model."""

from __future__ import annotations

from pathlib import Path

import avloc
from avloc.artifacts import read_model


def test_labels_are_proposed_corrected_and_calibrate_the_open_model(
    real_data: Path, tagger_weights: Path, tmp_path: Path
) -> None:
    loading = {"weights": tagger_weights, "offline": True, "artifacts": tmp_path / "artifacts"}
    clips = [real_data / "annotated/3qesirWAGt4_20000_30000.mp4"]
    clips.append(real_data / "annotated/16eUxQwxxbs.mp4")
    notices: list[str] = []
    done = avloc.label(
        clips,
        labels=["dog barking", "ukulele"],
        out=tmp_path / "proposed.csv",
        notice=notices.append,
        **loading,
    )
    found = {(row.video_id, row.label) for row in done.dataset.rows if row.is_event}
    assert ("16eUxQwxxbs", "ukulele") in found
    assert done.dataset.knows_senses
    assert any("open" in line for line in notices)
    assert not (tmp_path / "artifacts").exists()  # nothing but the manifest is written
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(
        f"video,label,start,end,sense\n{clips[0]},dog barking,0.4,3.4,both\n{clips[1]},,,,\n"
    )
    calibrated = avloc.calibrate(corrected, **loading)
    assert calibrated.path == tmp_path / "artifacts/models/open.h5"
    model = read_model(calibrated.path)
    assert (model.name, model.labels.names) == ("open", ("dog barking",))
    assert model.thresholds == (calibrated.thresholds["dog barking"].after,)
    timeline = avloc.localize(clips[0], write=False, **loading)[0].timeline
    assert timeline is not None
    assert timeline.labels.names == ("dog barking",)  # the model of the workspace answers
