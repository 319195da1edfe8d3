import dataclasses
import json
import subprocess
import sys

import pytest

from avloc.artifacts import FeatureStore
from avloc.errors import ArtifactError, UnknownNameError, UsageError
from avloc.spec import FeatureSpec

SPEC = FeatureSpec("resnet152", "a" * 64, "vggish", "b" * 64)
OTHER = {
    "visual": "resnet50",
    "visual_weights": "c" * 64,
    "audio": "logmel",
    "audio_weights": "",
    "fps": 8,
    "sampling": "ave2018",
    "segment_seconds": 2.0,
    "size": (192, 224),
    "resize": "crop",
    "resampler": "soxr",
    "front_end": "htk",
    "precision": "fp16",
    "rules": 3,
    "visual_revision": "d" * 40,
    "audio_revision": "e" * 40,
    "visual_layer": "last map",
    "audio_layer": "projection",
}
LICENCES = {"visual_licence": "mit", "audio_licence": "apache-2.0"}


def test_every_field_changes_the_fingerprint():
    assert {*OTHER, *LICENCES} == {field.name for field in dataclasses.fields(FeatureSpec)}
    changed = [dataclasses.replace(SPEC, **{name: value}) for name, value in OTHER.items()]
    assert len({spec.fingerprint for spec in (SPEC, *changed)}) == len(OTHER) + 1


def test_a_licence_changes_no_number_and_no_fingerprint(tmp_path):
    licensed = dataclasses.replace(SPEC, **LICENCES)
    assert licensed == SPEC
    assert licensed.fingerprint == SPEC.fingerprint
    assert licensed.differences(SPEC) == ""
    FeatureStore.create(tmp_path, licensed)
    again = FeatureStore.open(tmp_path).spec
    assert (again.visual_licence, again.audio_licence) == ("mit", "apache-2.0")


def test_a_spec_says_nothing_of_a_hub_where_there_is_none():
    # as specs were written before there were encoders from a hub
    assert not any("revision" in name or "layer" in name for name in SPEC.as_dict())
    assert set(SPEC.as_dict()) | {"visual_layer"} == set(
        dataclasses.replace(SPEC, visual_layer="last map").as_dict()
    )


def test_the_fingerprint_is_the_same_in_every_process_and_version():
    # Written down once: a change of it orphans every feature ever extracted.
    assert SPEC.fingerprint == "bd7244e7c9ff2b5b"
    code = (
        "from avloc.spec import FeatureSpec;"
        "print(FeatureSpec('resnet152', 'a' * 64, 'vggish', 'b' * 64).fingerprint)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert printed.stdout.strip() == SPEC.fingerprint


def test_a_spec_survives_the_way_to_a_file_and_back(tmp_path):
    FeatureStore.create(tmp_path, SPEC)
    again = FeatureStore.open(tmp_path).spec
    assert (again, again.fingerprint) == (SPEC, SPEC.fingerprint)


@pytest.mark.parametrize("change", [{"colour": 1}, None])
def test_a_spec_of_another_version_is_refused_by_field(change, tmp_path):
    FeatureStore.create(tmp_path, SPEC)
    content = json.loads((tmp_path / "store.json").read_text())
    del content["digest"]
    if change is None:
        del content["spec"]["rules"]
    else:
        content["spec"] |= change
    (tmp_path / "store.json").write_text(json.dumps(content))
    with pytest.raises(ArtifactError, match="rules" if change is None else "colour"):
        FeatureStore.open(tmp_path)


def test_differences_name_both_sides():
    other = dataclasses.replace(SPEC, fps=8)
    assert SPEC.differences(other) == "fps: 16 here, 8 there"


def test_what_no_extraction_could_follow_is_refused():
    with pytest.raises(UsageError, match="0 frames"):
        dataclasses.replace(SPEC, fps=0)
    with pytest.raises(UnknownNameError, match="ave2017") as caught:
        dataclasses.replace(SPEC, sampling="ave2017")
    assert "ave2018" in caught.value.hint


def test_a_spec_is_refused_where_the_reader_of_its_features_would_refuse_it(tmp_path):
    for fps in (1, 1000):
        spec = dataclasses.replace(SPEC, fps=fps)
        FeatureStore.create(tmp_path / f"{fps}", spec)
        assert FeatureStore.open(tmp_path / f"{fps}").spec.fps == fps
    for change in ({"fps": 1001}, {"fps": 2000}, {"segment_seconds": 1e7}):
        with pytest.raises(UsageError, match="cannot sample"):
            dataclasses.replace(SPEC, **change)
