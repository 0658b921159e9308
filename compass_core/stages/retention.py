"""What a new version has lost of what the serving one was made for, on rows that neither learnt."""

from collections.abc import Callable
from typing import Any

import polars as pl

from compass_core import layout, records
from compass_core.adapters.registry import adapter_dir, lineage, memory_dir, serving
from compass_core.stages.update import KEY, read_history
from compass_core.workspace import Workspace

Report = Callable[[str], None]


def retention_rows(ws: Workspace, language: str, version: str, reference: str) -> pl.DataFrame:
    """Held-out rows of the reference that `version` has not learnt either, with weights.

    A row's weight is its cluster's share of the usage that the reference was made for, spread over
    the cluster's rows; clusters without a held-out row do not count. Sums to 1.
    """
    folder = memory_dir(ws.store, language, reference)
    mine = memory_dir(ws.store, language, version)
    if folder is None or mine is None:
        return records.empty(records.HISTORY).with_columns(pl.lit(0.0).alias("weight"))
    held = read_history(folder).filter("held")
    learnt = read_history(mine).filter(~pl.col("held"))
    rows = held.join(learnt, on=KEY, how="anti", nulls_equal=True).sort(KEY)
    usage = lineage(ws.store, language, reference)["history_usage_rows"]
    asked = pl.DataFrame(
        {"cluster_id": [int(c) for c in usage], "asked": [float(n) for n in usage.values()]},
        schema={"cluster_id": pl.Int64, "asked": pl.Float64},
    )
    weighed = rows.join(asked.filter(pl.col("asked") > 0), on="cluster_id", how="inner")
    return weighed.with_columns(
        (pl.col("asked") / pl.len().over("cluster_id")).alias("share")
    ).with_columns((pl.col("share") / pl.col("share").sum()).alias("weight"))


def measure_retention(ws: Workspace, language: str, version: str, report: Report) -> None:
    """Write records.RETENTION for a version: base model, serving version and itself, by row.

    Three forward passes over the held-out rows. Empty where nothing else serves.
    """
    from peft import PeftModel

    from compass_core.adapters.conversation import row_examples
    from compass_core.adapters.loss import example_losses
    from compass_core.adapters.model_folder import load_base, load_tokenizer

    key = layout.retention(language, version)
    reference = serving(ws.store, language)
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

    def losses(model: Any) -> list[float]:
        batch_size = ws.project.benchmarks.batch_size
        found = iter(example_losses(model, examples, tokenizer.pad_token_id, batch_size))
        return [sum(next(found) for _ in part) / n for part, n in zip(by_row, tokens, strict=True)]

    model = load_base(base, ws.directory, ws.project.execution)
    measured = {"base_loss": losses(model)}
    for column, name in (("reference_loss", reference), ("loss", version)):
        adapted = PeftModel.from_pretrained(model, str(adapter_dir(ws.store, language, name)))
        measured[column] = losses(adapted)
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
