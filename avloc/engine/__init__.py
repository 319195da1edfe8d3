"""Work shared out to many workers: on this machine, or on a cluster."""

ENGINES = ("local", "ray")
