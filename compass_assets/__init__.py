"""The Dagster layer: assets, checks, sensors and jobs over `compass_core`."""
