"""The stage ``localize``: videos in; timelines and files about them out."""
