"""The selection experiment's own machinery: splits, resuming, tables. No model is trained here."""

import json
from types import SimpleNamespace

import polars as pl
import pytest

from compass_core.config.schema import Project
from compass_core.stages.comparison import Choice
from experiments.selection import cells, real, report, tables


@pytest.fixture
def ws():
    project = Project.model_validate({"languages": {"targets": ["sw"]}, "name": "tiny"})
    return SimpleNamespace(project=project)


@pytest.fixture
def path(monkeypatch):
    """Stands in for choosing and training: rows by strategy and seed, and a log of trainings."""
    trained = []

    def choose(ws, language, strategy, seed, budget=None):
        height = path.rows[strategy]
        rows = pl.DataFrame({"row_id": [f"{strategy}-{i}" for i in range(height)]})
        facts = {"training_rows": height, "jsd_bits_after": 0.1}
        return Choice(language, strategy, seed, rows, facts)

    def train(ws, choice, out, checkpoints, report, epochs=None):
        if choice.strategy in path.broken:
            raise KeyboardInterrupt
        out.mkdir(parents=True)
        (out / "training_log.json").write_text(
            json.dumps({"steps": 3, "losses": [1.0], "settings": {"a": 1}})
        )
        trained.append((choice.strategy, choice.seed, choice.rows.height, epochs))
        return SimpleNamespace(steps=3, loss_last=1.0)

    def digest(ws, choice, epochs=None):
        name = "none" if choice.strategy == "none" else f"{choice.strategy}-{epochs}"
        return f"{name}-{choice.seed}"

    monkeypatch.setattr(cells, "choose", choose)
    monkeypatch.setattr(cells, "train", train)
    monkeypatch.setattr(cells, "training_digest", digest)
    rows = {"none": 2, "random": 4, "gap_waterfill": 4, "all_data": 40}
    path = SimpleNamespace(trained=trained, broken=set(), rows=rows)
    return path


def score(ws, language, adapters, report):
    assert all((folder / "training_log.json").exists() for folder in adapters.values())
    return {digest: {"accuracy": 0.5, "items": 2} for digest in adapters}


def run(ws, folder, wanted, **more):
    return cells.run_cells(
        ws, wanted, folder, lambda language, rows: {}, score, lambda t: None, **more
    )


def grid(*strategies, budgets=(600,), seeds=(1,)):
    return [
        cells.Cell("w1", "sw", name, budget, seed)
        for seed in seeds
        for budget in budgets
        for name in strategies
    ]


def test_finished_cells_are_not_run_again(ws, path, tmp_path):
    wanted = grid("none", "random", seeds=(1, 2))
    assert run(ws, tmp_path, wanted) == 4
    assert run(ws, tmp_path, [*wanted, *grid("gap_waterfill", seeds=(1,))]) == 1
    found = cells.read_cells(tmp_path)
    assert found.height == 5
    assert not {"losses", "settings"} & set(found.columns)  # they do not fit into a CSV file
    assert found["accuracy"].to_list() == [0.5] * 5


def test_the_same_training_set_is_trained_once(ws, path, tmp_path):
    assert run(ws, tmp_path, grid("none", budgets=(600, 1200))) == 1
    assert cells.read_cells(tmp_path)["budget"].sort().to_list() == [600, 1200]


def test_a_killed_run_loses_the_training_it_was_in(ws, path, tmp_path):
    path.broken.add("random")
    with pytest.raises(KeyboardInterrupt):
        run(ws, tmp_path, grid("gap_waterfill", "random"))
    assert [name for name, *_ in path.trained] == ["gap_waterfill"]
    path.broken.clear()
    run(ws, tmp_path, grid("gap_waterfill", "random"))
    assert [name for name, *_ in path.trained] == ["gap_waterfill", "random"]
    assert cells.read_cells(tmp_path).height == 2


def test_all_data_gets_the_compute_of_the_others_unless_it_is_full(ws, path, tmp_path):
    epochs = ws.project.adapter.epochs
    full = cells.Cell("w1", "sw", "all_data", 600, 1, full=True)
    run(ws, tmp_path, [*grid("all_data"), full])
    assert path.trained == [("all_data", 1, round(epochs * 4), 1.0), ("all_data", 1, 40, epochs)]
    names = tables.labelled(cells.read_cells(tmp_path))["strategy"].sort().to_list()
    assert names == ["all_data", "all_data (full)"]


def test_all_data_gets_no_more_compute_where_that_is_more_than_a_pass(ws, path, tmp_path):
    seen = round(ws.project.adapter.epochs * path.rows["random"])
    path.rows["all_data"] = seen - 2
    run(ws, tmp_path, grid("all_data"))
    assert path.trained == [("all_data", 1, seen - 2, pytest.approx(seen / (seen - 2)))]


@pytest.fixture
def shared(tmp_path):
    rows = [
        {
            "id": f"lobe/{language}/agent{i}/{turn}",
            "lang": language,
            "instruction": f"{language} question {i} {turn}",
            "input": "",
            "output": f"answer {i} {turn} " + "word " * 80,
            "source": real.TALK,
            "license": "MIT",
            "topic": "education" if i % 3 else "games",
            "parallel_id": f"lobe/agent{i}/{turn}",
            "in_balanced": True,
        }
        for language in ("tr", "en")
        for i in range(120)
        for turn in range(2)
    ]
    shell = {**rows[0], "source": "tldr-pages", "topic": "shell/common", "output": "ls"}
    rows += [{**shell, "id": f"t{i}", "instruction": f"list {i}"} for i in range(40)]
    pl.DataFrame(rows).write_parquet(tmp_path / "instruction_pool.parquet")
    return tmp_path


def test_translations_of_one_conversation_stay_in_one_part(shared):
    rows = real.read_rows(shared)
    assert rows.group_by("group").agg(pl.col("part").n_unique())["part"].max() == 1
    assert set(rows["part"]) == set(real.PARTS)
    shell = rows.filter(pl.col("topic") == "shell")
    assert set(shell["part"]) <= {"models", "pool"}
    assert rows["response"].str.len_chars().max() <= real.RESPONSE_CHARS


def test_held_out_items_are_in_no_corpus(shared, tmp_path):
    data = tmp_path / "data"
    real.write_inputs(real.read_rows(shared), data)

    def texts(pattern, key):
        found = [json.loads(line) for p in data.glob(pattern) for line in p.open()]
        return {row[key] for row in found}

    corpora = texts("corpora/*/tr/*.jsonl", "instruction")
    test = texts("benchmarks/*/tr/test.jsonl", "question")
    asked = texts("logs/tr/*.jsonl", "text")
    assert corpora
    assert test
    assert asked
    assert not corpora & test
    assert not corpora & asked
    assert not asked & test
    assert texts("benchmarks/*/tr/dev.jsonl", "question") == asked


def runs(values):
    return pl.DataFrame(
        [
            {"world": "w1", "language": "sw", "strategy": name, "budget": 600, "seed": i,
             "full": False, "accuracy": v, "base_accuracy": 0.3, "accuracy_gap": v,
             "correct": "10", "base_correct": "00"}
            for name, column in values.items()
            for i, v in enumerate(column)
        ]
    )  # fmt: skip


def test_the_report_rewrites_its_parts_and_nothing_else(tmp_path):
    work, here = tmp_path / "work", tmp_path / "here"
    (work / "world" / "cells").mkdir(parents=True)
    here.mkdir()
    values = {"gap_waterfill": [0.6, 0.65, 0.62], "random": [0.5, 0.52, 0.49]}
    for i, row in enumerate(runs(values).to_dicts()):
        (work / "world" / "cells" / f"{i}.json").write_text(json.dumps(row))
    document = tmp_path / "selection.md"
    marks = "".join(
        f"<!-- begin {n} -->\nold\n<!-- end {n} -->\n" for n in ("world effects", "real effects")
    )
    document.write_text(f"By hand.\n{marks}By hand too.\n")
    report.write_report(work, here, document)
    text = document.read_text()
    assert text.startswith("By hand.\n")
    assert text.endswith("By hand too.\n")
    assert "old" not in text
    # (-0.10 - 0.13 - 0.13) / 3 in points; three pairs: p is at least 2 / 8
    assert "| `random` | 3 | 50.3 [49.0, 52.0] | -12.0 [-13.0, -1" in text
    assert "| 3 | -6.93 | 0.2500 | 0.2500 |" in text
    assert "*No cell was run.*" in text
    assert (tmp_path / "selection-world-600.png").stat().st_size < 150_000
    assert pl.read_csv(here / "world.csv").height == 6
