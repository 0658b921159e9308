"""Experiments on the method: each folder is one command, with its results beside it."""
