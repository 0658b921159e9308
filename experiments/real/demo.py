"""Run the graph on real data and print what was read, found, chosen, and what it cost.

    python -m experiments.real.demo --shared ../shared/data --project data/real

With the embedded models this shows that the graph carries real text, not that it helps: the small
embedder and language model know the sample world only.
"""

import json
import resource
import time
from pathlib import Path
from typing import Annotated

import polars as pl
import typer
from rich.table import Table

from compass_assets.cli.materialize_cmd import run_materialize
from compass_assets.cli.terminal import terminal
from compass_core import layout
from compass_core.config.load import load_project
from compass_core.workspace import Workspace
from experiments.real.prepare import prepare_project

ROOT = Path(__file__).parent.parent.parent


def main(
    shared: Annotated[Path, typer.Option(help="Folder with the Parquet files.")],
    project: Annotated[Path, typer.Option(help="Where to make the project.")] = Path("data/real"),
) -> None:
    """Prepare, materialize, print."""
    started = time.monotonic()
    prepare_project(shared, project.resolve(), ROOT / "data" / "models")
    loaded = load_project(project / "compass.yaml")
    run_materialize(loaded, [], [], [], as_json=False)
    ws = Workspace.open(loaded)
    console = terminal()
    console.print(_corpora(ws))
    console.print(_languages(ws))
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    console.print(
        f"wall time {time.monotonic() - started:.0f} s, peak memory {own:.2f} GiB in this process, "
        f"{child:.2f} GiB in the largest child"
    )


def _corpora(ws: Workspace) -> Table:
    table = Table(title="Rows read, accepted, quarantined")
    for name in ("corpus", "partitions", "read", "accepted", "quarantined", "reasons"):
        table.add_column(name)
    for asset in ("auxiliary_corpus", "training_corpus", "usage_logs", "benchmark_items"):
        keys = ws.store.keys(layout.CORPORA_CATALOGUE, ".parquet")
        mine = [key for key in keys if key.rsplit("/", 1)[-1].startswith(f"{asset}-")]
        frame = pl.concat([ws.store.read_parquet(key) for key in mine])
        reasons: dict[str, int] = {}
        for text in frame["reasons"]:
            for reason, count in json.loads(text).items():
                reasons[reason] = reasons.get(reason, 0) + count
        totals = frame.select(pl.col("rows_read", "rows_accepted", "rows_quarantined").sum()).row(0)
        shown = ", ".join(f"{name} {count}" for name, count in sorted(reasons.items()))
        table.add_row(asset, str(frame.height), *map(str, totals), shown)
    return table


def _languages(ws: Workspace) -> Table:
    table = Table(title="By target language")
    names = (
        "language",
        "prompts",
        "clusters",
        "with a gap",
        "jsd bits",
        "attainable",
        "sampled rows",
    )
    for name in (*names, "tokens", "base %", "adapter %", "items"):
        table.add_column(name, justify="left" if name == "language" else "right")
    for language in ws.targets:
        facts = {
            asset: ws.manifests.require(asset, language).facts
            for asset in (
                "usage_window",
                "semantic_clusters",
                "gap_report",
                "sampled_training_set",
                "benchmark_scores",
            )
        }
        gaps, chosen = facts["gap_report"], facts["sampled_training_set"]
        scores = facts["benchmark_scores"]
        table.add_row(
            language,
            str(facts["usage_window"]["rows"]),
            str(facts["semantic_clusters"]["clusters"]),
            str(gaps["clusters_with_gap"]),
            f"{gaps['jsd_bits']:.3f}",
            f"{gaps['jsd_bits_best']:.3f}",
            str(chosen["sampled_rows"]),
            str(chosen["sampled_tokens"]),
            f"{scores['base_percent']:.1f}",
            f"{scores['adapter_percent']:.1f}",
            str(scores["items"]),
        )
    return table


if __name__ == "__main__":
    typer.run(main)
