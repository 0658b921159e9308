"""Clusters against topics and against languages, per embedder, on real parallel texts.

    python -m experiments.embedders --shared ../shared/data [--embedder FOLDER] [--prefix "query: "]

For each embedder and data set the project's own fit is made (its defaults, then k-means with as
many clusters as there are topics), and ARI and V-measure against topics and against languages are
written to results.json here, with the figure that the asset page warns by. What is in the file
already is not measured again. The report is docs/experiments/embedders.md.
"""

import json
import time
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import polars as pl
import typer

from compass_core.clusters.assign import assign
from compass_core.clusters.fit import fit_clusters
from compass_core.clusters.language_split import LIMIT, language_split
from compass_core.config.schema import Clusters
from compass_core.hashing import unit_key
from experiments.embedders.embed import (
    Embed,
    character_ngrams,
    folder_embedder,
    packaged,
    without_language_means,
)

HERE = Path(__file__).parent
LANGUAGES = "en,de,fr,id,sw,tr,ar,hi,bn,th,ja,zh"
HEADS = ("data", "texts", "embedder", "clusters by", "K", "ARI topic", "V topic", "ARI language")
MORE_HEADS = ("V language", "language given away", "warns")


def main(
    shared: Annotated[Path, typer.Option(help="Folder of the labelled data.")],
    embedder: Annotated[list[Path] | None, typer.Option(help="Model folders to add.")] = None,
    prefix: Annotated[str, typer.Option(help="Put before every text of those folders.")] = "",
    languages: Annotated[str, typer.Option(help="Of SIB-200; xSID has its ten.")] = LANGUAGES,
    only: Annotated[str, typer.Option(help="Embedders, with colons; default: all.")] = "",
    data_sets: Annotated[str, typer.Option("--data", help="With commas.")] = "SIB-200,xSID",
    per_language: Annotated[int, typer.Option(help="Texts of each language; 0: all.")] = 0,
    out: Path = HERE / "results.json",
    report: Path = HERE.parents[1] / "docs/experiments/embedders.md",
) -> None:
    """Measure what is missing and write the tables into the report."""
    results: list[dict[str, Any]] = json.loads(out.read_text()) if out.exists() else []
    done = {(r["data"], r["embedder"]) for r in results}
    embedders = _embedders(embedder or [], prefix)
    chosen = [name for name in embedders if not only or name in only.split(":")]
    if unknown := set(only.split(":")) - {*chosen, ""}:
        raise typer.BadParameter(f"{unknown}; allowed: {list(embedders)}", param_hint="--only")
    sets = _data(shared, languages.split(","), per_language)
    for data, name in product(data_sets.split(","), chosen):
        frame, embed = sets[data], embedders[name]
        centred = f"{name}, language means removed"
        if {(data, name), (data, centred)} <= done:
            continue
        started = time.monotonic()
        vectors = _usable(embed, frame["text"].to_list())
        wall_s = time.monotonic() - started
        spoken = frame["lang"].to_list()
        for label, used in (
            (name, vectors),
            (centred, without_language_means(vectors, spoken)),
        ):
            for entry in _measure(used, frame):
                results.append({"data": data, "embedder": label, **entry})
        out.write_text(json.dumps(results, indent=1) + "\n")
        print(f"{data}, {name}: {frame.height} texts, {wall_s:.0f} s to embed", flush=True)
    _write(report, results)


def _data(shared: Path, languages: list[str], per_language: int) -> dict[str, pl.DataFrame]:
    """Test splits with columns id, lang, topic, text: the same items in every language."""
    sib = pl.read_parquet(shared / "sib200_topics.parquet").filter(
        (pl.col("split") == "test") & pl.col("lang").is_in(languages)
    )
    xsid = pl.read_parquet(shared / "xsid_intents.parquet").filter(pl.col("split") == "test")
    found = {"SIB-200": sib, "xSID": xsid.rename({"intent": "topic"})}
    for name, frame in found.items():
        item = pl.col("parallel_id").cast(pl.String)
        items = sorted(frame.select(item)["parallel_id"].unique(), key=lambda i: unit_key(i, 17))
        kept = items[: per_language or None]
        found[name] = (
            frame.filter(item.is_in(kept)).select("id", "lang", "topic", "text").sort("id")
        )
    return found


def _embedders(folders: list[Path], prefix: str) -> dict[str, Embed]:
    found: dict[str, Embed] = {
        "character n-grams, SVD": character_ngrams,
        "data/models/embedder": folder_embedder(HERE.parents[1] / "data/models/embedder"),
    }
    found |= packaged()
    found |= {folder.name: folder_embedder(folder, prefix) for folder in folders}
    return found


def _usable(embed: Embed, texts: list[str]) -> np.ndarray:
    """Vectors of all texts. A text that the embedder knows nothing of gets a vector of its own
    (one small vocabulary covers few scripts), so that every embedder is measured on all texts."""
    from compass_core.errors import ModelError

    try:
        return embed(texts)
    except ModelError:
        rng = np.random.default_rng(0)
        parts: list[np.ndarray | None] = []
        for text in texts:
            try:
                parts.append(embed([text])[0])
            except ModelError:
                parts.append(None)
        dims = next(len(part) for part in parts if part is not None)
        fill = [rng.standard_normal(dims) if part is None else part for part in parts]
        stacked = np.stack(fill)
        lengths = np.linalg.norm(stacked, axis=1, keepdims=True)
        return np.asarray(stacked / lengths, dtype=np.float32)


def _measure(vectors: np.ndarray, frame: pl.DataFrame) -> list[dict[str, Any]]:
    from sklearn.metrics import adjusted_rand_score, v_measure_score

    topics, spoken = frame["topic"].to_list(), frame["lang"].to_list()
    few = frame["topic"].n_unique()
    ways = {
        "the project's defaults": Clusters(),
        "k-means, K = topics": Clusters(method="kmeans", k_min=few, k_max=few, k_steps=1),
    }
    entries = []
    for way, settings in ways.items():
        model = fit_clusters(vectors, frame["id"].to_list(), spoken, settings, seed=17)
        ids = assign(model, vectors, "nearest").cluster_ids
        split = language_split(ids, spoken)
        entries.append(
            {
                "way": way,
                "method": model.method,
                "texts": frame.height,
                "languages": frame["lang"].n_unique(),
                "topics": few,
                "clusters": len(model.cluster_ids),
                "ari_topic": float(adjusted_rand_score(topics, ids)),
                "v_topic": float(v_measure_score(topics, ids)),
                "ari_language": float(adjusted_rand_score(spoken, ids)),
                "v_language": float(v_measure_score(spoken, ids)),
                "language_split": split.value,
                "warns": split.warning is not None,
                "candidates": model.candidates,
            }
        )
    return entries


def _write(report: Path, results: list[dict[str, Any]]) -> None:
    """Put the tables between the marks of the report; the text around them is a person's."""
    lines = [" | ".join(["", *HEADS, *MORE_HEADS, ""]).strip()]
    lines.append("|" + "---|" * len((*HEADS, *MORE_HEADS)))
    for r in results:
        figures = ("ari_topic", "v_topic", "ari_language", "v_language", "language_split")
        cells = [
            r["data"],
            f"{r['texts']:,}",
            r["embedder"],
            f"{r['way']} ({r['method']})",
            str(r["clusters"]),
        ]
        cells += [f"{r[name]:.2f}" for name in figures] + ["yes" if r["warns"] else "no"]
        lines.append("| " + " | ".join(cells) + " |")
    table = "\n".join([*lines, "", f"The page warns above {LIMIT}."])
    head, foot = "<!-- table -->\n", "\n<!-- end of table -->"
    text = report.read_text() if report.exists() else f"# Embedders\n\n{head}{foot}\n"
    before, rest = text.split(head, 1)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(before + head + table + foot + rest.split(foot, 1)[1])
    print(table)


if __name__ == "__main__":
    typer.run(main)
