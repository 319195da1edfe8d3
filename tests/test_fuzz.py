"""A small part of the fuzzing: damaged files cost an error of avloc's, and nothing worse.

``tools/fuzz.py`` damages any number of files.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from damage import WAYS, damaged
from examples import model
from fuzz import NEVER, fuzz, main, outcome_of, table_of
from fuzz_kinds import KINDS
from fuzz_process import ReadingProcess

from avloc.artifacts import write_model

SEED = 32


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("kind", "n"), [("artifacts", 120), ("videos", 24), ("manifests", 60)])
def test_damaged_files_are_refused_or_read_within_limits(kind: str, n: int, tmp_path: Path) -> None:
    cases = fuzz(kind, range(n), SEED, tmp_path / "found")
    assert [case for case in cases if case.outcome in NEVER] == []
    assert len(cases) == n
    assert {case.outcome for case in cases} >= {"refused"}  # it was damage
    assert {case.way for case in cases} == set(WAYS)


def test_a_case_follows_from_seed_and_number() -> None:
    content = np.random.default_rng(0).bytes(5000)
    once, again = (
        [damaged(content, np.random.default_rng([SEED, number])) for number in range(50)]
        for _ in range(2)
    )
    assert once == again
    assert len({outcome for _, outcome in once}) == 50
    assert content not in [outcome for way, outcome in once if way != "page zeroed"]


def test_changed_content_and_a_dead_process_are_noticed(tmp_path: Path) -> None:
    first, same, other = (tmp_path / f"{name}.h5" for name in ("first", "same", "other"))
    write_model(first, model())
    write_model(same, model())
    weights = {name: weight + np.float32(1e-6) for name, weight in model().weights.items()}
    write_model(other, replace(model(), weights=weights))
    reader = ReadingProcess("artifacts")
    truth = reader.read(first)
    outcomes = [outcome_of("artifacts", reader.read(path), truth) for path in (same, other)]
    assert outcomes == ["read, same", "changed beside its digest"]
    greedy = truth | {"megabytes": KINDS["artifacts"].megabytes + 1}
    assert outcome_of("artifacts", greedy, truth) == "too much memory"
    reader._process.kill()
    assert reader.read(first)["outcome"] == "died"
    assert reader.read(first) | {"megabytes": 0} == truth | {"megabytes": 0}
    reader.close()


def test_the_tool_counts_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["fuzz.py", "manifests", "--n", "30", "--jobs", "2", "--keep", str(tmp_path / "found")]
    monkeypatch.setattr("sys.argv", asked)
    assert main() == 0
    header, _, *rows = capsys.readouterr().out.splitlines()
    totals = [int(cell) for cell in rows[-1].strip("| ").split(" | ")[1:]]
    assert totals[0] == sum(totals[1:]) == 30
    assert rows == table_of(fuzz("manifests", range(30), 0)).splitlines()[2:]
    assert header.startswith("| damage | files |")
    assert not (tmp_path / "found").exists()
