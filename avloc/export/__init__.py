"""From a timeline to a file: text formats, the heat-map video, figures, the report, a notebook.

Nothing here predicts anything: it shows the timeline it is given.
"""
