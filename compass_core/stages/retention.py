"""What a new version has lost of what the serving one was made for, on rows that neither learnt."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from compass_core import layout, records
from compass_core.adapters.registry import adapter_dir, lineage, memory_dir, serving, versions
from compass_core.hashing import seeded_generator
from compass_core.progress import Progress
from compass_core.stages.update import KEY, read_history
from compass_core.workspace import Workspace

Report = Callable[[str], None]
FLOOR_NATS = 0.1  # a serving version that gained less than this is measured against this
DRAWS = 2_000
FORGETTING = pl.Schema(
    {
        "version": pl.String,
        "reference": pl.String,
        "rows": pl.Int64,
        "rise": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "gained": pl.Float64,
        "allowed": pl.Float64,
    }
)


@dataclass(frozen=True)
class Retained:
    """Rise of the loss on held-out rows of earlier usage, nats per supervised token.

    `low`, `high`: its 95 % bootstrap interval over rows. `gained`: what the reference had gained
    over the base model there; `allowed`: the share of it that may be lost.
    """

    rise: float
    low: float
    high: float
    gained: float
    allowed: float
    rows: int

    @property
    def passed(self) -> bool:
        return self.rise <= self.allowed


def retained(rows: pl.DataFrame, share: float, seed: int) -> Retained:
    """Figures of a version's records.RETENTION, at least one row; `share` may be lost (0 to 1)."""
    weights = rows["weight"].to_numpy()
    rise = rows["loss"].to_numpy() - rows["reference_loss"].to_numpy()
    gained = float(weights @ (rows["base_loss"].to_numpy() - rows["reference_loss"].to_numpy()))
    generator = seeded_generator(seed, "retention")
    drawn = generator.integers(len(rise), size=(DRAWS, len(rise)))
    means = (rise * weights)[drawn].sum(1) / weights[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    allowed = share * max(gained, FLOOR_NATS)
    return Retained(float(weights @ rise), float(low), float(high), gained, allowed, rows.height)


def forgetting_history(ws: Workspace, language: str) -> pl.DataFrame:
    """What each version forgot of the one that served before it (FORGETTING), oldest first.

    Versions that were not measured against another one are left out. `allowed` is by the present
    `promotion.forgetting_share`.
    """
    found = []
    for version in versions(ws.store, language)["version"]:
        key = layout.retention(language, version)
        rows = ws.store.read_parquet(key) if ws.store.exists(key) else pl.DataFrame()
        if rows.height:
            figures = retained(rows, ws.project.promotion.forgetting_share, ws.project.seed)
            names = {"version": version, "reference": rows["reference_version"][0]}
            found.append({**names, **asdict(figures)})
    return pl.DataFrame(found, schema=FORGETTING)


def held_rows(ws: Workspace, language: str, reference: str) -> pl.DataFrame:
    """Rows (records.HISTORY) that a version held out, of clusters that it was made for.

    With `asked`: how much of its usage the row's cluster was. Empty where it keeps no memory.
    """
    folder = memory_dir(ws.store, language, reference)
    if folder is None:
        return records.empty(records.HISTORY).with_columns(pl.lit(0.0).alias("asked"))
    usage = lineage(ws.store, language, reference)["history_usage_rows"]
    asked = pl.DataFrame(
        {"cluster_id": [int(c) for c in usage], "asked": [float(n) for n in usage.values()]},
        schema={"cluster_id": pl.Int64, "asked": pl.Float64},
    )
    held = read_history(folder).filter("held").sort(KEY)
    return held.join(asked.filter(pl.col("asked") > 0), on="cluster_id", how="inner")


def retention_rows(ws: Workspace, language: str, version: str, reference: str) -> pl.DataFrame:
    """Held-out rows of the reference that `version` has not learnt either, with weights.

    A row's weight is its cluster's share of the usage that the reference was made for, spread over
    the cluster's rows; clusters without a held-out row do not count. Sums to 1.
    """
    held = held_rows(ws, language, reference)
    mine = memory_dir(ws.store, language, version)
    if mine is None:
        return held.clear().with_columns(pl.lit(0.0).alias("weight"))
    learnt = read_history(mine).filter(~pl.col("held"))
    rows = held.join(learnt, on=KEY, how="anti", nulls_equal=True).sort(KEY)
    return rows.with_columns(
        (pl.col("asked") / pl.len().over("cluster_id")).alias("share")
    ).with_columns((pl.col("share") / pl.col("share").sum()).alias("weight"))


def measure_retention(ws: Workspace, language: str, version: str, report: Report) -> None:
    """Write records.RETENTION for a version: base model, serving version and itself, by row.

    Three forward passes over the held-out rows. Empty where nothing else serves. A version that
    serves by now keeps what was measured against the one before it.
    """
    from peft import PeftModel

    from compass_core.adapters.conversation import row_examples
    from compass_core.adapters.loss import example_losses
    from compass_core.adapters.model_folder import load_base, load_tokenizer

    key = layout.retention(language, version)
    reference = serving(ws.store, language)
    if reference == version and ws.store.exists(key):
        return
    rows = pl.DataFrame()
    if reference is not None and reference != version:
        rows = retention_rows(ws, language, version, reference)
    if reference is None or not rows.height:
        ws.store.write_parquet(key, records.empty(records.RETENTION))
        return
    base = ws.project.base_model
    tokenizer = load_tokenizer(base, ws.directory)
    by_row = row_examples(tokenizer, rows, ws.project.adapter.max_tokens)
    examples = [e for part in by_row for e in part]
    tokens = [sum(e.supervised for e in part) for part in by_row]

    # The base model, the reference and the version itself: three passes.
    progress = Progress(
        report, f"{language}, earlier usage", 3 * len(examples), "held-out examples scored"
    )

    def losses(model: Any, name: str, before: int) -> list[float]:
        def at(done: int) -> None:
            progress.at(before * len(examples) + done, name)

        batch_size = ws.project.benchmarks.batch_size
        found = iter(example_losses(model, examples, tokenizer.pad_token_id, batch_size, at))
        return [sum(next(found) for _ in part) / n for part, n in zip(by_row, tokens, strict=True)]

    model = load_base(base, ws.directory, ws.project.execution)
    measured = {"base_loss": losses(model, "base model", 0)}
    columns = (("reference_loss", reference), ("loss", version))
    for before, (column, name) in enumerate(columns, start=1):
        adapted = PeftModel.from_pretrained(model, str(adapter_dir(ws.store, language, name)))
        measured[column] = losses(adapted, name, before)
        model = adapted.unload()
    frame = rows.with_columns(
        pl.lit(language).alias("language"),
        pl.lit(version).alias("adapter_version"),
        pl.lit(reference).alias("reference_version"),
        pl.Series("supervised_tokens", tokens),
        *[pl.Series(column, values) for column, values in measured.items()],
    )
    ws.store.write_parquet(key, records.conform(frame, records.RETENTION))
    report(f"{rows.height} held-out rows of earlier usage scored against {reference}")
