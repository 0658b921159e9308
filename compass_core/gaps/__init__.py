"""Semantic gaps: what is asked against what is trained on, cluster by cluster."""
