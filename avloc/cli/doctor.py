"""``avloc doctor``: is this installation sound?"""

from __future__ import annotations

import typer

from avloc.cli import console


def doctor() -> None:
    """Check the installation.

    It checks Python, the packages that must fit each other, the device, the encoders, and the
    models that other packages add.
    """
    from avloc.stages.doctor import examine

    findings = examine()
    for finding in findings:
        console.data(f"{'ok ' if finding.is_sound else 'BAD'}  {finding.what}: {finding.state}")
    if not all(finding.is_sound for finding in findings):
        raise typer.Exit(1)
