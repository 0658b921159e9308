"""What counts as under-covered: one definition, for assets, report, CLI and views."""

import polars as pl

# A cluster that nobody asked about has a p_usage too: that of the prior, which follows the pool.
# Its gap says that auxiliary data exists, not that anybody needs it. A cluster that others were
# merged into always has usage rows of its own.
UNDER_COVERED = "gap > 0 AND usage_rows > 0"


def under_covered(gaps: pl.DataFrame) -> pl.DataFrame:
    """Rows of records.GAPS that are asked about more than trained on, largest gap first."""
    return gaps.filter(pl.sql_expr(UNDER_COVERED)).sort("gap", descending=True)


def asked_about(gaps: pl.DataFrame) -> pl.DataFrame:
    """Rows of records.GAPS that can be under-covered: with usage, standing for themselves."""
    return gaps.filter((pl.col("usage_rows") > 0) & pl.col("merged_into").is_null())


def in_words(gaps: pl.DataFrame) -> str:
    """How many clusters are under-covered, of those asked about, of all."""
    return (
        f"{under_covered(gaps).height} of {asked_about(gaps).height} clusters asked about are "
        f"under-covered ({gaps.height} in all)"
    )
