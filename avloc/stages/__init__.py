"""The stages: each module does, as a function, what the command of its name does.

A stage finds its inputs, calls `avloc.features`, `avloc.training`, `avloc.evaluation` or
`avloc.localizer`, and writes the outputs. The functions are also in `avloc` itself: `avloc.train`.
"""
