"""A shell for the tests of commands."""

from __future__ import annotations

import pytest
from commands import Shell


@pytest.fixture
def avloc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """The command ``avloc``."""
    monkeypatch.delenv("AVLOC_ARTIFACTS", raising=False)
    monkeypatch.delenv("AVLOC_TRACEBACK", raising=False)
    return Shell(monkeypatch, capsys)
