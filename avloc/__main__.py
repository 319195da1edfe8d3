"""``python -m avloc`` is ``avloc``."""

from avloc.cli import main

main()
