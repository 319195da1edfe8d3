"""The paper's tables: every row trained and evaluated over seeds, ours beside the paper's."""

from avloc.reproduction.comparing import compare
from avloc.reproduction.plan import PlannedRun, plan
from avloc.reproduction.reproduce import Reproduction, reproduce
from avloc.reproduction.runs import RunFailure, run_all
from avloc.reproduction.showing import comparison_table, write_comparison_files

__all__ = [
    "PlannedRun",
    "Reproduction",
    "RunFailure",
    "compare",
    "comparison_table",
    "plan",
    "reproduce",
    "run_all",
    "write_comparison_files",
]
