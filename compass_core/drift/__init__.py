"""Drift that is real: a distance judged against what chance alone would give."""
