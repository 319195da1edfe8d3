"""Map files: what they correct, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from avloc.errors import DatasetError, UnknownNameError
from avloc.vocabulary import audioset_names, map_labels, read_corrections


def written(folder: Path, text: str) -> Path:
    path = folder / "map.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_map_file_replaces_one_sense_and_leaves_the_other(tmp_path: Path) -> None:
    path = written(tmp_path, '["dog barking"]\nheard = {"bark" = 0.5, "Yip" = 1}\n')
    plain, corrected = (
        map_labels(["dog barking"], corrections)[0]
        for corrections in (None, read_corrections(path))
    )
    assert [(each.name, each.weight) for each in corrected.heard] == [("Yip", 1.0), ("Bark", 0.5)]
    assert all(audioset_names()[each.index] == each.name for each in corrected.heard)
    assert {each.reason for each in corrected.heard} == {"map file"}
    assert corrected.seen == plain.seen != ()


def test_a_star_means_every_class_below_a_word_and_an_empty_list_abstains(tmp_path: Path) -> None:
    path = written(tmp_path, '[sunset]\nheard = []\nseen = ["*dog", "seacoast", "drumstick"]\n')
    (mapping,) = map_labels(["sunset"], read_corrections(path))
    assert {each.index for each in mapping.seen} == {*range(151, 269), 978, 542}
    assert mapping.heard == ()
    assert mapping.nearest == ()


def test_a_map_file_may_serve_other_labels_too_but_not_only(tmp_path: Path) -> None:
    path = written(tmp_path, '[dog]\nseen = ["beagle"]\n[cat]\nseen = ["tabby"]\n')
    assert [each.name for each in map_labels(["dog"], read_corrections(path))[0].seen] == ["beagle"]
    with pytest.raises(UnknownNameError, match="of the map file"):
        map_labels(["bird"], read_corrections(path))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('[dog]\nheard = {"Barc" = 1.0}', "AudioSet has no class 'Barc'. Near are: Bark"),
        ('[dog]\nseen = ["begle"]', "ImageNet has no class 'begle'. Near are: beagle"),
        ('[dog]\nseen = ["*democracy"]', "below the word 'democracy'"),
        ('[dog]\nheard = {"Bark" = 0}', r"must be in \(0, 1\], got 0"),
        ('[dog]\nheard = {"Bark" = 1.5}', r"must be in \(0, 1\], got 1.5"),
        ('[dog]\nheard = {"Bark" = true}', r"must be in \(0, 1\]"),
        ('[dog]\nheard = "Bark"', "must be a list of class names"),
        ('[dog]\nsmelled = ["Bark"]', "must have 'heard' or 'seen'"),
        ("[dog]\n", "must have 'heard' or 'seen'"),
        ("dog = 1", "must have 'heard' or 'seen'"),
        ("[dog", "is not a readable map file"),
    ],
)
def test_a_wrong_map_file_is_refused_with_its_name(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DatasetError, match=complaint) as caught:
        read_corrections(path)
    assert str(path) in str(caught.value)


def test_a_missing_map_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="No such file"):
        read_corrections(tmp_path / "absent.toml")
