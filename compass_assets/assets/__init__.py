"""The assets, one file a stage. Each file's `build` returns its assets for one project."""
