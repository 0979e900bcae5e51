"""Backbones from the Hugging Face hub, or a folder of the same form, through `transformers` (extra `hub`).

Importing the package imports neither torch nor transformers.
"""
