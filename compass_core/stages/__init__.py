"""The stages over a workspace: each reads the store, calls the numerics, writes, returns figures.

An asset is one call of a stage; a script or a test can call the same stages without Dagster.
"""
