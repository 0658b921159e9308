"""The columns that cross from one stage to the next. One schema a table, in one place.

Conventions: `language` is BCP-47; `row_id` is unique within its table and stable over runs;
`content_hash` is the hash of the text that is embedded (the key of the vector store); `row_hash`
covers every field that counts and makes the data version.
"""

import polars as pl
from polars.datatypes import DataType, DataTypeClass

ROLES = ("usage", "training", "auxiliary", "proxy")


def _schema(columns: dict[str, DataType | DataTypeClass]) -> pl.Schema:
    return pl.Schema(columns)


# Noted beside the text and in no hash: another verdict about a row does not make it another row.
_IDENTIFIED: dict[str, DataType | DataTypeClass] = {
    "declared_language": pl.String,  # by the row, else by its folder
    "detected_language": pl.String,  # null: not looked at, or no letters
    "detected_confidence": pl.Float64,
    "language_flag": pl.String,  # agrees | related | disagrees | unsure | unknown
    "code_mixed": pl.Boolean,  # two scripts, or sentences in two languages
    "pii": pl.Int64,  # placeholders written in the place of personal data
}

TEXT = _schema(
    {
        "row_id": pl.String,
        "language": pl.String,
        "prompt": pl.String,  # what the user says; this is what is embedded
        "response": pl.String,  # what the assistant says; its tokens are the supervised ones
        "earlier_turns": pl.String,  # JSON [{role, content}] before the prompt, system turn first
        "content_hash": pl.String,
        "row_hash": pl.String,
        "source": pl.String,
        "license": pl.String,
        "revision": pl.String,  # of the source: a commit, a tag, a fingerprint
        "file": pl.String,  # relative to the input folder
        "line": pl.Int64,  # 1-based
        **_IDENTIFIED,
    }
)

USAGE = _schema(
    {
        "row_id": pl.String,
        "language": pl.String,
        "day": pl.Date,  # UTC day of the event
        "ts": pl.Datetime("us", "UTC"),
        "prompt": pl.String,
        "content_hash": pl.String,
        "row_hash": pl.String,
        "user_hash": pl.String,  # salted; null where the log has no user
        "file": pl.String,
        "line": pl.Int64,
        **_IDENTIFIED,
    }
)

BENCHMARK = _schema(
    {
        "item_id": pl.String,
        "language": pl.String,
        "suite": pl.String,
        "split": pl.String,  # dev | test; they share no item
        "question": pl.String,
        "choices": pl.List(pl.String),
        "answer": pl.Int64,  # 0-based
        "subject": pl.String,
        "content_hash": pl.String,
        "row_hash": pl.String,
    }
)

QUARANTINE = _schema(
    {
        "file": pl.String,
        "line": pl.Int64,
        "reason": pl.String,  # one word, counted: bad_json, bad_encoding, missing_field, ...
        "detail": pl.String,  # what was received and what is allowed
        "raw": pl.String,  # the line as it was (undecodable bytes as \\xNN)
    }
)

ASSIGNMENTS = _schema(
    {
        "language": pl.String,  # target language whose clusters these are
        "role": pl.String,  # usage | training | auxiliary | proxy
        "row_language": pl.String,
        "row_id": pl.String,
        "content_hash": pl.String,
        "cluster_id": pl.Int64,  # policy drop: -1, own_bucket: -2 for rows outside the clusters
        "similarity": pl.Float32,  # cosine to the nearest centroid
        "noise": pl.Boolean,  # outside the dense part of its cluster
        "off_target": pl.Boolean,
    }
)

CLUSTERS = _schema(
    {
        "language": pl.String,
        "cluster_id": pl.Int64,
        "title": pl.String,
        "keywords": pl.List(pl.String),
        "exemplars": pl.List(pl.String),
        "fit_rows": pl.Int64,
        "method": pl.String,
        "model_version": pl.String,
    }
)

GAPS = _schema(
    {
        "language": pl.String,
        "cluster_id": pl.Int64,
        "title": pl.String,
        "p_usage": pl.Float64,
        "p_usage_low": pl.Float64,
        "p_usage_high": pl.Float64,
        "p_training": pl.Float64,
        "gap": pl.Float64,  # max(0, p_usage - p_training)
        "coverage": pl.Float64,  # p_training / p_usage; null where p_usage is 0
        "usage_rows": pl.Int64,
        "training_rows": pl.Int64,
        "training_tokens": pl.Int64,
        "pool_rows": pl.Int64,
        "pool_tokens": pl.Int64,
        "merged_into": pl.Int64,  # cluster id it was merged into for small counts, else null
        "jsd_bits": pl.Float64,  # of the language: training against usage, the same on each row
        "jsd_bits_best": pl.Float64,  # of the best mix that spends the budget within the limits
        "usage_first_day": pl.Date,
        "usage_last_day": pl.Date,
    }
)

GAPS_HISTORY = pl.Schema({**GAPS, "measured_at": pl.Datetime("us", "UTC")})

STALENESS = _schema(
    {
        "language": pl.String,
        "asset": pl.String,
        "state": pl.String,  # fresh | stale | missing
        "causes": pl.List(pl.String),
        "since": pl.String,  # UTC, ISO: when the first of the changed inputs changed
        "data_version": pl.String,
        "materialized_at": pl.String,  # UTC, ISO
        "evaluated_at": pl.Datetime("us", "UTC"),
    }
)

SELECTIONS = _schema(
    {
        "language": pl.String,
        "origin": pl.String,  # training (already there) | auxiliary (selected)
        "row_id": pl.String,
        "row_language": pl.String,
        "cluster_id": pl.Int64,
        "gap": pl.Float64,
        "rank": pl.Int64,  # within its group (mostly its cluster), 0 first; null: training row
        "similarity": pl.Float32,
        "key": pl.Float64,  # random key in [0, 1)
        "supervised_tokens": pl.Int64,
        "strategy": pl.String,
        "why": pl.String,  # one sentence: what speaks for this row
        "prompt": pl.String,
        "response": pl.String,
        "earlier_turns": pl.String,  # as in TEXT; their answers are supervised too
        "content_hash": pl.String,
        "source": pl.String,
        "license": pl.String,
        "revision": pl.String,  # of the source, as in TEXT; in no version
    }
)

GAP_POOL = _schema(
    {
        "language": pl.String,
        "cluster_id": pl.Int64,
        "row_language": pl.String,
        "pool_rows": pl.Int64,
        "pool_tokens": pl.Int64,
    }
)

SAMPLES = _schema(
    {
        "language": pl.String,
        "strategy": pl.String,
        "unit": pl.String,
        "budget": pl.Int64,
        "spent": pl.Int64,
        "rows": pl.Int64,
        "jsd_bits_before": pl.Float64,  # training corpus against usage
        "jsd_bits_after": pl.Float64,  # corpus and sample against usage
        "jsd_bits_best": pl.Float64,  # of the best mix of the rows that may be sampled
        "training_set_version": pl.String,  # data version of the set that it is in
    }
)

DROPPED = _schema(
    {
        "language": pl.String,
        "origin": pl.String,  # auxiliary | training (the corpus itself)
        "row_id": pl.String,
        "row_language": pl.String,
        "cluster_id": pl.Int64,
        "reason": pl.String,  # in_benchmark, duplicate, beyond_budget, ...: sampling.pool.REASONS
        "detail": pl.String,  # the benchmark item that was hit, or the row that is repeated
    }
)

SCORES = _schema(
    {
        "language": pl.String,
        "suite": pl.String,
        "split": pl.String,
        "item_id": pl.String,
        "subject": pl.String,
        "model": pl.String,  # base | adapter
        "adapter_version": pl.String,  # v0003; null for the base model
        "predicted": pl.Int64,
        "answer": pl.Int64,
        "correct": pl.Boolean,
        "margin": pl.Float64,  # log-likelihood of the right choice minus the best wrong one
        "logliks": pl.List(pl.Float64),
        "task": pl.String,  # which prompt: local/cloze, a task of the harness, a oneruler variant
        "task_version": pl.String,
        "shots": pl.Int64,
        "shots_from": pl.String,  # split that the examples come from, and how they are drawn
        "response": pl.String,  # what was generated; null where choices were scored
        "extracted": pl.String,  # the answer found in it; null: none, the extraction failed
    }
)

ADAPTERS = _schema(
    {
        "language": pl.String,
        "version": pl.String,
        "parent": pl.String,  # version it was trained on from; null: trained from zero
        "training_mode": pl.String,  # full | ecda
        "training_reason": pl.String,
        "status": pl.String,  # candidate | serving | retired
        "base_model": pl.String,
        "method": pl.String,
        "rank": pl.Int64,
        "alpha": pl.Int64,
        "training_rows": pl.Int64,
        "supervised_tokens": pl.Int64,
        "loss_first": pl.Float64,
        "loss_last": pl.Float64,
        "wall_s": pl.Float64,
        "weights_version": pl.String,
        "training_set_version": pl.String,
        "created_at": pl.Datetime("us", "UTC"),
    }
)

DRIFT = _schema(
    {
        "language": pl.String,
        "measured_at": pl.Datetime("us", "UTC"),
        "report_version": pl.String,
        "adapter_version": pl.String,
        "anchor_first_day": pl.Date,
        "anchor_last_day": pl.Date,
        "anchor_rows": pl.Int64,
        "window_first_day": pl.Date,
        "window_last_day": pl.Date,
        "window_rows": pl.Int64,
        "window_users": pl.Int64,  # null where the logs name no user
        "verdict": pl.String,  # drift | no_drift | insufficient_data
        "reason": pl.String,
        "jsd_bits": pl.Float64,
        "null_mean_bits": pl.Float64,
        "null_95_bits": pl.Float64,
        "excess_bits": pl.Float64,  # jsd_bits - null_mean_bits
        "p_value": pl.Float64,  # of this look
        "p_month": pl.Float64,  # of a month of daily looks; below drift.alpha: not chance
        "design_effect": pl.Float64,
        "novel_share": pl.Float64,
        "novel_anchor_share": pl.Float64,
        "novel_p_value": pl.Float64,
        "moved_clusters": pl.List(pl.Int64),  # -2: outside every cluster
    }
)

DRIFT_CLUSTERS = _schema(
    {
        "language": pl.String,
        "report_version": pl.String,
        "adapter_version": pl.String,
        "window_last_day": pl.Date,
        "cluster_id": pl.Int64,
        "title": pl.String,
        "anchor_share": pl.Float64,
        "window_share": pl.Float64,
        "change": pl.Float64,
        "p_value": pl.Float64,
        "examples": pl.List(pl.String),
    }
)

PERFORMANCE = _schema(
    {
        "language": pl.String,
        "measured_at": pl.Datetime("us", "UTC"),
        "report_version": pl.String,
        "adapter_version": pl.String,
        "window_last_day": pl.Date,
        "cluster_id": pl.Int64,  # null: all prompts
        "anchor_loss": pl.Float64,  # nats per token, here and below
        "window_loss": pl.Float64,
        "anchor_base_loss": pl.Float64,
        "window_base_loss": pl.Float64,
        "change": pl.Float64,
        "change_low": pl.Float64,
        "change_high": pl.Float64,
        "harm": pl.Float64,  # change minus that of the base model
        "harm_low": pl.Float64,
        "harm_high": pl.Float64,
        "anchor_prompts": pl.Int64,
        "window_prompts": pl.Int64,
        "anchor_tokens": pl.Int64,
        "window_tokens": pl.Int64,
    }
)

HISTORY = _schema(
    {
        "row_id": pl.String,
        "origin": pl.String,  # training | auxiliary
        "row_language": pl.String,
        "prompt": pl.String,
        "response": pl.String,
        "earlier_turns": pl.String,  # as in TEXT
        "content_hash": pl.String,
        "cluster_id": pl.Int64,  # in the cluster model of the version that keeps it
        "supervised_tokens": pl.Int64,
        "held": pl.Boolean,  # never trained on
    }
)

RETENTION = _schema(
    {
        "language": pl.String,
        "adapter_version": pl.String,
        "reference_version": pl.String,  # the serving version whose held-out rows these are
        "row_id": pl.String,
        "cluster_id": pl.Int64,
        "weight": pl.Float64,  # sums to 1; rows count as their clusters were asked about
        "supervised_tokens": pl.Int64,
        "base_loss": pl.Float64,  # nats per supervised token
        "reference_loss": pl.Float64,
        "loss": pl.Float64,
    }
)

PROMOTIONS = _schema(
    {
        "language": pl.String,
        "changed_at": pl.Datetime("us", "UTC"),
        "action": pl.String,  # promote | rollback
        "from_version": pl.String,
        "to_version": pl.String,
        "forced": pl.Boolean,
        "reason": pl.String,
    }
)

COMPARISONS = _schema(
    {
        "language": pl.String,
        "strategy": pl.String,
        "seed": pl.Int64,
        "sampled_rows": pl.Int64,
        "sampled_tokens": pl.Int64,
        "training_rows": pl.Int64,
        "jsd_bits_before": pl.Float64,  # of the training corpus against usage
        "jsd_bits_after": pl.Float64,  # of training corpus and sample against usage
        "items": pl.Int64,
        "accuracy": pl.Float64,
        "base_accuracy": pl.Float64,
        "difference_points": pl.Float64,  # against the `random` strategy, same seed and items
        "low_points": pl.Float64,
        "high_points": pl.Float64,
        "p_value": pl.Float64,
    }
)

CORPORA = _schema(
    {
        "asset": pl.String,
        "partition": pl.String,
        "language": pl.String,
        "rows_read": pl.Int64,
        "rows_accepted": pl.Int64,
        "rows_quarantined": pl.Int64,
        "reasons": pl.String,  # JSON object reason -> count
        "data_version": pl.String,
        "materialized_at": pl.Datetime("us", "UTC"),
    }
)


def empty(schema: pl.Schema) -> pl.DataFrame:
    """A frame of no rows with the schema's columns."""
    return pl.DataFrame(schema=schema)


def widened(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """As conform, with nulls in the columns that a table of an earlier version did not have."""
    absent = [pl.lit(None).alias(name) for name in schema if name not in frame.columns]
    return conform(frame.with_columns(absent), schema)


def conform(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Columns in the schema's order and types. Raises polars' error on a missing column."""
    return frame.select([pl.col(name).cast(dtype) for name, dtype in schema.items()])
