"""avloc."""
