"""Does choosing data by semantic gap beat the alternatives? See docs/experiments/selection.md.

    python -m experiments.selection world    # the sample world, several of them
    python -m experiments.selection real     # real multilingual data
    python -m experiments.selection report   # tables and pictures from what is there

A *cell* is one strategy in one language at one budget with one seed: rows chosen, adapter trained,
held-out items scored. `cells` runs them and keeps each as a small JSON file, so that a killed run
goes on where it was; `world` and `real` make the projects; `report` reads the cells.
"""
