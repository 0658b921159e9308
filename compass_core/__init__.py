"""COMPASS as a plain library: corpora, embeddings, clusters, gaps, sampling, adapters, scores.

Nothing in this package knows of the orchestrator. `compass_assets` calls it, one function a step.
Heavy libraries (torch, transformers, lancedb) are imported inside the functions that need them.
"""
