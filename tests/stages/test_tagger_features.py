"""From videos to answers on the features of the tagger mn04, by the public calls."""

from __future__ import annotations

import csv

import avloc


def test_a_model_is_trained_on_the_taggers_features_and_answers(
    small_workspace, tagger_weights, tmp_path
):
    artifacts, manifest = tmp_path / "artifacts", tmp_path / "manifest.csv"
    with manifest.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("video", "start", "end", "label", "split"))
        for k, split in enumerate(("train", "train", "val", "test")):
            rows.writerow((small_workspace.clips[k], k, k + 3, "ab"[k % 2], split))
    weights = {"weights": tagger_weights, "offline": True}
    encoders = {"visual": "efficientnet-lite0", "audio": "efficientat-mn04"}
    avloc.extract(manifest, artifacts=artifacts, fps=1, **encoders, **weights)
    avloc.train(artifacts=artifacts, epochs=1)
    locate = avloc.load(artifacts / "models" / "cman.h5", **weights)
    timeline = locate(small_workspace.clips[0])
    assert timeline.scores.shape == (10, 2)
    assert locate.encoders.spec.front_end == "waveform-32000-2s"
