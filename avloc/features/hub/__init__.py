"""Encoders by name from a model hub, or from a folder in the hub's file layout.

``transformers`` and ``timm`` read the models; both are in the extra ``hub``. No code that a
repository contains is ever run.
"""
