"""What ``avloc localize`` loads for an answer that is there: nothing that could make one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from workspaces import SmallWorkspace

import avloc

HEAVY = {
    *("torch", "torchvision", "torchaudio", "sklearn", "scipy", "librosa", "matplotlib"),
    *("onnxruntime", "jinja2", "pandas"),
}
PROGRAM = """
import sys
sys.argv = {arguments!r}
from avloc.cli import main
try:
    main()
except SystemExit as ended:
    code = ended.code or 0
print(code, *{{name.split('.')[0] for name in sys.modules}}, file=sys.stderr)
"""


@pytest.mark.usefixtures("models_load_once")
@pytest.mark.parametrize(
    "options", [(), ("--format", "srt", "--format", "csv", "--format", "elan")]
)
def test_an_answer_that_is_there_loads_nothing_heavy(
    small_workspace: SmallWorkspace, tmp_path: Path, options: tuple[str, ...]
) -> None:
    clip = Path(shutil.copy(small_workspace.clips[0], tmp_path / "clip.mp4"))
    avloc.localize(clip, artifacts=small_workspace.artifacts)
    command = ["avloc", "localize", str(clip), "--artifacts", str(small_workspace.artifacts)]
    program = PROGRAM.format(arguments=[*command, *options])
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    *talk, modules = ended.stderr.splitlines()
    code, *names = modules.split()
    assert code == "0", ended.stderr
    assert any(line.startswith("already there") for line in talk)
    assert HEAVY & set(names) == set()
