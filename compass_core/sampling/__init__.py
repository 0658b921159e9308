"""Choosing auxiliary data: how much from each cluster, and which rows."""
