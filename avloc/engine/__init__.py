"""Work shared out to many workers: on this machine's cores, or on a cluster."""
