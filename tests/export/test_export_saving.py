import pytest
from made_up_timelines import timeline_of

from avloc.artifacts import read_localization
from avloc.errors import OutputError, UnknownNameError, UsageError
from avloc.export.formats.saving import dumps, formats, save


@pytest.mark.parametrize("name", sorted(set(formats()) - {"h5"}))
def test_a_suffix_chooses_the_format_and_a_name_overrules_it(name, tmp_path):
    timeline = timeline_of([0, 1, 2])
    by_suffix = save(timeline, tmp_path / f"a{formats()[name].upper()}")
    by_name = save(timeline, tmp_path / "b.other", name)
    told = dumps(timeline, name)
    if name != "elan":  # which carries the second it was made
        assert by_suffix.read_text(encoding="utf-8") == told
    assert by_suffix.read_bytes()[:200] == by_name.read_bytes()[:200]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([by_suffix.name, "b.other"])


def test_the_longest_suffix_that_fits_is_meant(tmp_path):
    timeline = timeline_of([0, 1])
    for name, meant in (
        ("a.label-studio.json", "label-studio"),
        ("label-studio.json", "json"),
        ("a.studio.json", "json"),
        ("a.json.csv", "csv"),
    ):
        assert save(timeline, tmp_path / name).read_text("utf-8") == dumps(timeline, meant)


def test_h5_is_the_localization_file(tmp_path):
    timeline = timeline_of([0, 0, 2, 1], gates=[0.3, 0.4, 0.5, 0.6])
    back = read_localization(save(timeline, str(tmp_path / "clip.avloc.h5")))
    assert back.events == timeline.events
    assert (back.scores == timeline.scores).all()


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="jsn") as caught:
        save(timeline_of([0]), tmp_path / "a.txt", "jsn")
    assert "'json'" in caught.value.hint
    with pytest.raises(UnknownNameError, match=r"\.xyz"):
        save(timeline_of([0]), tmp_path / "a.xyz")
    with pytest.raises(UnknownNameError, match="clip"):
        save(timeline_of([0]), tmp_path / "clip")
    assert not list(tmp_path.iterdir())


def test_h5_is_not_text():
    with pytest.raises(UsageError, match="h5"):
        dumps(timeline_of([0]), "h5")


def test_a_folder_in_the_way_is_an_output_error(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(OutputError, match=r"a\.csv"):
        save(timeline_of([0]), tmp_path / "a.csv")


@pytest.mark.parametrize("name", sorted(set(formats()) - {"h5"}))
def test_a_name_that_is_not_utf8_can_be_saved(name, tmp_path):
    timeline = timeline_of([0], names=["B\udcff"], video_id="caf\udce9", source="caf\udce9.mp4")
    assert save(timeline, tmp_path / "out", name).read_text(encoding="utf-8")
