"""Evaluation: predictions on a split, their metrics, and attention maps against boxes."""
