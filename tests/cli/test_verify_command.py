"""``avloc verify``: a line a bad file on stdout, the rest on stderr, and the exit code."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from commands import Shell
from format1_files import write_old_features
from made_up import features_of

from avloc.artifacts import write_features


def test_all_some_and_none_sound(avloc: Shell, tmp_path: Path) -> None:
    good, old, bad = tmp_path / "good.h5", tmp_path / "old.h5", tmp_path / "bad.h5"
    features = features_of("a", np.ones((2, 2, 2, 3)), None)
    write_features(good, features)
    write_old_features(old, features)
    write_features(bad, features)
    bad.write_bytes(bad.read_bytes()[:-9])
    ended = avloc("verify", good, old)
    assert (ended.code, ended.out) == (0, "")
    assert (
        ended.err == "2 checked, 0 bad, 1 with no digest (format 1): changed numbers pass there\n"
    )
    ended = avloc("verify", good, bad)
    assert ended.code == 3
    [line] = ended.out.splitlines()
    assert line.startswith(f"{bad}\tis not a readable avloc file: ")
    assert ended.err.startswith("error: 2 checked, 1 bad. ")
    ended = avloc("verify", bad)
    assert (ended.code, len(ended.out.splitlines())) == (1, 1)
