"""Scores: multiple-choice items by log-likelihood, statistics on paired items, contamination."""
