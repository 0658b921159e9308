"""The analysts' file: compass.duckdb holds views with comments over the Parquet, and no data.

Parquet is the truth. One process that writes a DuckDB file locks out every other, so the file is
built under a temporary name and replaced: whoever has it open keeps what they opened, whoever opens
it next sees the new one, and no asset ever waits.
"""

import json
import os
import uuid
from pathlib import Path

import duckdb
import polars as pl

from compass_core import layout, records
from compass_core.errors import InputError
from compass_core.hashing import version_of
from compass_core.mirror import mirrored
from compass_core.storage import Store
from compass_core.warehouse_columns import GAPS, PROMOTIONS, RETENTION
from compass_core.warehouse_derived import DERIVED
from compass_core.warehouse_drift import DRIFT_VIEWS


class View:
    """One view: the Parquet folder it reads, its schema, and what each column means."""

    def __init__(
        self,
        folder: str,
        schema: pl.Schema,
        text: str,
        columns: dict[str, str],
        unique: tuple[str, ...] = (),
    ) -> None:
        self.folder, self.schema, self.text, self.columns = folder, schema, text, columns
        self.unique = unique  # of rows that share these, the one in the last file counts

    def query(self, glob: str) -> str:
        """SELECT over the Parquet files of a glob."""
        text = (
            f"SELECT {', '.join(self.schema)} "
            f"FROM read_parquet('{glob}', union_by_name = true, filename = 'file_')"
        )
        if self.unique:
            text += (
                f" QUALIFY row_number() OVER (PARTITION BY {', '.join(self.unique)}"
                " ORDER BY file_ DESC) = 1"
            )
        return text


_COMMON = {
    "language": "Target language (BCP-47)",
    "cluster_id": "Cluster in the language's space; survives refits",
    "row_id": "Identity of the text row",
    "row_language": "Language of the row itself (BCP-47)",
    "content_hash": "Hash of the embedded text; key of the vector store",
    "supervised_tokens": "Tokens of the response that carry loss",
    "source": "Where the row came from",
    "license": "Licence of the row",
    "revision": "Revision of the source: a commit, a tag, a fingerprint",
    "title": "Short name of the cluster: its most telling words",
    "gap": "max(0, p_usage - p_training): share of usage not covered",
    "suite": "Benchmark suite",
    "seed": "Seed of the run",
    "items": "Benchmark items scored",
    "version": "Adapter version, v0001 and so on",
    "similarity": "Cosine to the centroid of the cluster",
    "adapter_version": "Adapter version; null for the base model",
    "jsd_bits": "Jensen-Shannon divergence of training data from usage, bits (0 same, 1 disjoint)",
    "p_value": "Two-sided p of the paired test",
    "strategy": "Sampling strategy",
    "training_rows": "Rows trained on (gaps: rows of the training corpus in the cluster)",
}

VIEWS: dict[str, View] = {
    "gaps": View(
        "gaps",
        records.GAPS,
        "Per language and cluster: what users ask against what the training data covers",
        GAPS,
    ),
    "gaps_history": View(
        "gaps_history",
        records.GAPS_HISTORY,
        "Every gap report, one a usage window: the same columns as gaps, and when it was measured",
        {**GAPS, "measured_at": "When the report was made (UTC)"},
    ),
    "staleness": View(
        "staleness",
        records.STALENESS,
        "State of every asset of every target language when something last changed",
        {
            "asset": "Asset of the graph",
            "state": "fresh, stale or missing",
            "causes": "What changed since it was made",
            "since": "When the first of them changed (UTC)",
            "data_version": "Content version of the asset",
            "materialized_at": "When the asset was made (UTC)",
            "evaluated_at": "When this was looked at (UTC)",
        },
    ),
    "clusters": View(
        "clusters",
        records.CLUSTERS,
        "Semantic clusters of each target language",
        {
            "keywords": "Most telling words, by language",
            "exemplars": "Texts nearest to the centroid",
            "fit_rows": "Rows the cluster was fitted on",
            "method": "Clustering method that won",
            "model_version": "Version of the cluster model",
        },
    ),
    "assignments": View(
        "assignments",
        records.ASSIGNMENTS,
        "The cluster of every usage, training, auxiliary and proxy row",
        {
            "role": "usage, training, auxiliary or proxy (benchmark dev item)",
            "noise": "Outside the dense part of its cluster; clusters.noise says what follows",
            "off_target": "Too far from every cluster to be sampled",
        },
    ),
    "selections": View(
        "selections",
        records.SELECTIONS,
        "Rows of each training set, and why each is there",
        {
            "origin": "training (was there) or auxiliary (sampled)",
            "rank": "Place within its group (mostly its cluster), 0 first; null: training row",
            "why": "What speaks for this row, in a sentence",
            "key": "Seeded random key of the row, 0 to 1",
            "prompt": "What the user says",
            "response": "What the assistant says",
            "earlier_turns": "JSON list of {role, content} before the prompt, a system turn first",
        },
    ),
    "gap_pool": View(
        "gap_pool",
        records.GAP_POOL,
        "Auxiliary data available, by cluster and by its own language",
        {
            "pool_rows": "Auxiliary rows available (off-target rows are not)",
            "pool_tokens": "Supervised tokens of them",
        },
    ),
    "samples": View(
        "samples",
        records.SAMPLES,
        "What was sampled for each language, and how near the mix came to usage",
        {
            "unit": "Unit of budget and spent: supervised tokens or rows",
            "budget": "How much was to be sampled",
            "spent": "How much was",
            "rows": "Auxiliary rows chosen",
            "jsd_bits_before": "Divergence of the training corpus from usage, bits",
            "jsd_bits_after": "Divergence of corpus and sample from usage, bits",
            "jsd_bits_best": "Divergence of the best mix of the rows that may be sampled, bits",
            "training_set_version": "Data version of the training set that it is in",
        },
    ),
    "dropped": View(
        "dropped",
        records.DROPPED,
        "Rows that are not in the training set, and why not",
        {
            "origin": "auxiliary, or training: a row of the corpus that holds a benchmark item",
            "reason": "in_benchmark, in_training_corpus, off_target, duplicate, near_duplicate, "
            "near_training_corpus, no_demand (nothing of it is asked), language_cap or "
            "beyond_budget",
            "detail": "The benchmark item that the row repeats, or the row that it repeats",
        },
    ),
    "adapters": View(
        layout.ADAPTERS_CATALOGUE,
        records.ADAPTERS,
        "Adapter versions and which of them serves",
        {
            "parent": "Version that it was trained on from; null: trained from zero",
            "training_mode": "full (from zero) or ecda (updated from its parent)",
            "training_reason": "Why it was trained in that way",
            "status": "serving, candidate or retired",
            "base_model": "Base model as the project names it",
            "method": "lora, rslora or dora",
            "rank": "LoRA rank",
            "alpha": "LoRA alpha",
            "supervised_tokens": "Tokens that carried loss, over all epochs and steps; no replay",
            "loss_first": "Loss of the first step, nats per supervised token",
            "loss_last": "Mean loss of the last ten steps, nats per supervised token",
            "wall_s": "Seconds of training",
            "weights_version": "Hash of the weights",
            "training_set_version": "Data version of the training set",
            "created_at": "When it was made (UTC)",
        },
    ),
    "promotions": View(
        "promotions",
        records.PROMOTIONS,
        "Every change of the version that serves, and why",
        PROMOTIONS,
    ),
    "retention": View(
        "retention",
        records.RETENTION,
        "What a new version forgets: losses on held-out rows of what its predecessor was made for",
        RETENTION,
    ),
    "scores": View(
        "scores",
        records.SCORES,
        "Benchmark items one by one, base model and adapter",
        {
            "split": "Always test: dev items are never scored",
            "item_id": "Identity of the item",
            "subject": "Subject of the item",
            "model": "base or adapter",
            "predicted": "Choice with the highest score, 0-based",
            "answer": "Right choice, 0-based",
            "correct": "Whether they are the same",
            "margin": "Score of the right choice minus the best wrong one, nats per token",
            "logliks": "Log-likelihood of each choice, nats (local: mean per token)",
            "task": "Prompt of the item: local/<style>, harness task, or oneruler variant",
            "task_version": "Version of the task",
            "shots": "Worked examples in the prompt",
            "shots_from": "Split of the examples and how they were drawn",
            "response": "Generated text; null where choices were scored",
            "extracted": "Answer found in the response; null where extraction failed",
        },
        # The base model is scored beside each adapter version; once is enough.
        unique=("language", "suite", "split", "item_id", "model", "adapter_version"),
    ),
    "corpora": View(
        layout.CORPORA_CATALOGUE,
        records.CORPORA,
        "What was read, accepted and quarantined, by corpus",
        {
            "asset": "Asset that read it",
            "partition": "Its partition",
            "rows_read": "Lines read; always accepted + quarantined",
            "rows_accepted": "Rows taken",
            "rows_quarantined": "Rows set aside with a reason",
            "reasons": "JSON object: reason -> count",
            "data_version": "Hash of the accepted rows",
            "materialized_at": "When it was read (UTC)",
        },
    ),
    **{name: View(*parts) for name, parts in DRIFT_VIEWS.items()},
    "comparisons": View(
        "comparisons",
        records.COMPARISONS,
        "Sampling strategies on held-out items, same budget and training code",
        {
            "sampled_rows": "Auxiliary rows chosen",
            "sampled_tokens": "Supervised tokens of them",
            "jsd_bits_before": "Divergence of the training corpus from usage, bits",
            "jsd_bits_after": "Divergence of training corpus and sample from usage, bits",
            "accuracy": "Share of right answers of the adapter",
            "base_accuracy": "Share of right answers of the base model",
            "difference_points": "Accuracy minus that of `random` with the same seed, points",
            "low_points": "Lower end of its 95 % interval",
            "high_points": "Upper end of its 95 % interval",
        },
    ),
}


def catalogue_path(store: Store, directory: Path) -> Path:
    """Where the file lies: in a local store, else in the project's data folder."""
    if store.is_local:
        return store.local_path("compass.duckdb")
    return directory / "data" / "compass.duckdb"


def ensure_catalogue(store: Store, path: Path) -> Path:
    """Build the file unless it is there and says what this code would write. Cheap to call.

    The views of a remote store read a local copy of its tables, brought up to date here.
    """
    store = mirrored(store, (view.folder for view in VIEWS.values()))
    definitions = _definitions(store)
    types = {name: str(view.schema) for name, view in VIEWS.items()}
    recipe = version_of([definitions, types])
    mark = path.with_name(f"{path.name}.recipe")
    if path.exists() and mark.exists() and mark.read_text() == recipe:
        return path
    for view in VIEWS.values():
        # A glob without files cannot be bound; an empty file with the schema makes it bind always.
        store.write_parquet(f"{view.folder}/_schema.parquet", records.empty(view.schema))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    try:
        with duckdb.connect(str(temporary)) as connection:
            for definition in definitions:
                _create(connection, *definition)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    mark.write_text(recipe)
    return path


def _definitions(store: Store) -> list[tuple[str, str, str, dict[str, str]]]:
    """Name, SELECT, comment and the columns' comments of every view, in the order of creation."""
    made = []
    for name, view in VIEWS.items():
        glob = store.uri(f"{view.folder}/*.parquet").replace("'", "''")
        comments = {c: view.columns.get(c, _COMMON.get(c, "")) for c in view.schema}
        made.append((name, view.query(glob), view.text, comments))
    for name, (query, text, comments) in DERIVED.items():
        made.append((name, query, text, {**_COMMON, **comments}))
    return made


def _create(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    query: str,
    text: str,
    comments: dict[str, str],
) -> None:
    connection.execute(f"CREATE VIEW {name} AS {query}")
    connection.execute(f"COMMENT ON VIEW {name} IS {_quoted(text)}")
    described = connection.execute(f"DESCRIBE {name}").fetchall()
    for column, *_ in described:
        comment = comments.get(column, "")
        connection.execute(f"COMMENT ON COLUMN {name}.{column} IS {_quoted(comment)}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def query(path: Path, sql: str) -> pl.DataFrame:
    """Run one read-only statement over the views.

    Raises InputError with DuckDB's message, and with the views that exist, when it cannot run.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        try:
            relation = connection.sql(sql)
            nothing = relation is None  # a relation without rows is falsy, and has columns
            frame = pl.DataFrame() if nothing else pl.from_arrow(relation.to_arrow_table())
        except duckdb.Error as error:
            views = ", ".join(sorted([*VIEWS, *DERIVED]))
            raise InputError(f"{str(error).strip()}\nViews: {views}") from None
    return frame if isinstance(frame, pl.DataFrame) else frame.to_frame()


def as_json(frame: pl.DataFrame) -> str:
    """Rows as a JSON array; dates and times as ISO text."""
    return json.dumps(frame.to_dicts(), ensure_ascii=False, default=str, indent=1)
