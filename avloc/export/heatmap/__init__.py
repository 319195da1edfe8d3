"""The video with its heat map, strip of events."""
