"""What train and eval say of the labels, on stderr, before and beside their numbers."""

from __future__ import annotations

from commands import Shell
from made_up import made_up

ROWS = [("Bark", "train"), ("Music", "train"), ("Bark", "test")] * 2


def test_train_begins_with_labels_by_split_and_names_what_looks_wrong(avloc: Shell, tmp_path):
    made_up(tmp_path, n_videos=len(ROWS))  # of 10 s each
    lines = ["video,label,start,end,split,remark"]
    for number, (label, split) in enumerate(ROWS):
        lines.append(f"video{number:03d}.mp4,{label},2,{99 if number == 2 else 5},{split},x")
    (tmp_path / "m.csv").write_text("\n".join(lines) + "\n")
    place = ("--artifacts", tmp_path, "--dataset", tmp_path / "m.csv")
    ended = avloc("train", *place, "--epochs", 1, "--set", "width=8")
    assert (ended.code, ended.out) == (0, ""), ended.err
    header, *said = ended.err.splitlines()
    assert header.split() == ["label", "train", "held", "out", "test"]
    table = {line.split()[0]: [int(n) for n in line.split()[1:]] for line in said[:2]}
    assert {label: (sum(numbers[:2]), numbers[2]) for label, numbers in table.items()} == {
        "Bark": (2, 2),
        "Music": (2, 0),
    }
    assert any(line.startswith("held out to choose the epoch: video") for line in said)
    assert "warning: in the training split only: 'Music'" in said
    assert "warning: fields of the manifest that are ignored: remark" in said
    ended = avloc("eval", *place)
    assert "row 3: 'Bark' of video002 from 2 to 99 s, and the video ends at 10 s" in ended.err


def test_without_labels_the_hint_says_what_to_write(avloc: Shell, tmp_path):
    made_up(tmp_path, n_videos=2)
    ended = avloc("train", "--artifacts", tmp_path)
    assert ended.code == 2
    for word in ("video,label,start,end,split", "--dataset manifest.csv"):
        assert word in ended.err
