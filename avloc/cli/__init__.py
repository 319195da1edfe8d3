"""The command line: one file a command, each a thin layer over one public function."""

from avloc.cli.app import main

__all__ = ["main"]
