"""Clusters that can be lived with: fitted once, stable ids, described, assigned, matched."""
