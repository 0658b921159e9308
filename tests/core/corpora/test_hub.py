"""Corpora by name: local copies of the shapes that the Hub has, read by `datasets` itself."""

import gzip
import json
from contextlib import nullcontext

import pyarrow as pa
import pytest

from compass_core.config.schema import Corpus
from compass_core.corpora.hub import (
    fetch_corpus,
    fetched,
    is_fetched,
    open_dataset,
    row_count,
)
from compass_core.corpora.ingest import ingest_text
from compass_core.corpora.rules import Rules
from compass_core.errors import InputError

datasets = pytest.importorskip("datasets")

# The columns of CohereLabs/aya_dataset, and of a configuration of CohereLabs/aya_collection.
AYA = [
    ("Mji mkuu wa Kenya ni upi?", "Nairobi ndio mji mkuu.", "Swahili", "swh"),
    ("ما هي عاصمة مصر؟", "القاهرة هي عاصمة مصر.", "Standard Arabic", "arb"),
    ("Apa ibu kota Malaysia?", "Kuala Lumpur ialah ibu kota.", "Standard Malay", "zsm"),
    ("Wetin be di capital?", "Abuja.", "Unheard Of", "xx"),
]
AYA_ROWS = [
    {
        "inputs": asked,
        "targets": answered,
        "language": language,
        "language_code": code,
        "annotation_type": "original-annotations",
        "user_id": f"u{number}",
    }
    for number, (asked, answered, language, code) in enumerate(AYA)
]
COLLECTION = {
    "id": 7,
    "inputs": "Tafsiri: water",
    "targets": "maji ya kunywa",
    "dataset_name": "Mintaka-inst",
    "sub_dataset_name": "-",
    "task_type": "question-answering",
    "template_id": 1,
    "language": "swh",
    "split": "train",
    "script": "Latn",
}


@pytest.fixture
def copy(tmp_path):
    """A folder as the Hub lays it out: a card that names the data files, and Parquet."""
    repo = tmp_path / "aya_dataset"
    (repo / "data").mkdir(parents=True)
    made = datasets.Dataset.from_list(AYA_ROWS)
    made.to_parquet(str(repo / "data" / "train-00000-of-00001.parquet"))
    (repo / "README.md").write_text(
        "---\nconfigs:\n- config_name: default\n  data_files:\n"
        "  - split: train\n    path: data/train-*\n---\n"
    )
    return repo


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


def corpus(**given):
    return Corpus(**{"name": "aya", "dataset": "aya_dataset", "license": "apache-2.0", **given})


def rows(folder, language, *corpora):
    result = ingest_text(folder / language, language, Rules(), corpora=corpora)
    assert result.rows_read == result.accepted.height + result.quarantined.height
    return result


def test_a_copy_of_a_hub_repository_is_streamed_to_its_languages(tmp_path, copy):
    entry = corpus(revision="4a8b2f1")
    folder = tmp_path / "auxiliary"
    made = fetch_corpus(entry, folder, tmp_path)
    assert made.rows == {"ar": 1, "ms": 1, "sw": 1}
    assert (made.unrouted, made.revision) == (1, "4a8b2f1")
    row = rows(folder, "sw", entry).accepted.row(0, named=True)
    assert (row["prompt"], row["response"]) == AYA[0][:2]
    assert (row["source"], row["license"], row["revision"]) == ("aya", "apache-2.0", "4a8b2f1")
    assert row["declared_language"] == "sw"
    assert "u0" not in row.values()
    unrouted = folder / "_unrouted" / "aya.jsonl.zst"
    assert unrouted.is_file()


def test_what_save_to_disk_left_is_read_with_its_content_as_revision(tmp_path):
    made = datasets.DatasetDict(train=datasets.Dataset.from_list([COLLECTION]))
    made.save_to_disk(str(tmp_path / "collection"))
    entry = corpus(name="collection", dataset="collection")
    folder = tmp_path / "auxiliary"
    assert fetch_corpus(entry, folder, tmp_path).revision.startswith("files-")
    row = rows(folder, "sw", entry).accepted.row(0, named=True)
    assert (row["source"], row["response"]) == ("Mintaka-inst", "maji ya kunywa")
    assert row["revision"].startswith("files-")


def test_it_says_how_long_the_rest_takes_where_the_dataset_knows_its_rows(tmp_path, monkeypatch):
    monkeypatch.setattr("compass_core.corpora.hub.EVERY_S", 0.0)
    datasets.Dataset.from_list(AYA_ROWS).save_to_disk(str(tmp_path / "aya"))
    said = []
    fetch_corpus(corpus(dataset="aya"), tmp_path / "auxiliary", tmp_path, said.append)
    assert next(line for line in said if "left" in line) == "aya: 1 of 4 rows, 0 s left"
    assert said[-1].startswith("aya: 3 rows in 3 languages")


def test_a_stream_knows_its_rows_only_where_its_card_says_them(tmp_path, copy):
    stream, _revision = open_dataset(corpus(), tmp_path)
    assert row_count(stream, "train") is None
    card = copy / "README.md"
    told = "dataset_info:\n  splits:\n  - name: train\n    num_bytes: 9\n    num_examples: 4\n"
    card.write_text(card.read_text().replace("---\nconfigs", f"---\n{told}configs"))
    stream, _revision = open_dataset(corpus(), tmp_path)
    assert row_count(stream, "train") == 4


def test_rows_go_to_the_script_that_they_name_and_to_languages_in_nested_columns(tmp_path):
    written = [("zho", "Hant"), ("zho", "Hans"), ("npi", "Deva")]
    made = [COLLECTION | {"language": code, "script": script} for code, script in written]
    datasets.Dataset.from_list(made).save_to_disk(str(tmp_path / "collection"))
    folder = tmp_path / "auxiliary"
    found = fetch_corpus(corpus(dataset="collection"), folder, tmp_path).rows
    assert found == {"zh-Hant": 1, "zh": 1, "ne": 1}
    nested = [{"prompt": "a", "response": "b", "meta": {"to": "swh"}, "lang": "en"}]
    (tmp_path / "nested.jsonl").write_text(json.dumps(nested[0]) + "\n")
    entry = corpus(name="nested", dataset="nested.jsonl", columns={"language": "meta.to"})
    assert fetch_corpus(entry, folder, tmp_path).rows == {"sw": 1}
    assert rows(folder, "sw", entry).accepted.height == 1


def test_a_single_file_and_columns_of_other_names(tmp_path):
    asked = [{"q": {"text": "Duka liko wapi?"}, "a": "Mjini.", "tongue": "swa", "n": 1}]
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(r) + "\n" for r in asked))
    columns = {"prompt": "q.text", "response": "a", "language": "tongue", "id": "n"}
    entry = corpus(name="own", dataset="own.jsonl", columns=columns)
    folder = tmp_path / "auxiliary"
    assert fetch_corpus(entry, folder, tmp_path).rows == {"sw": 1}
    accepted = rows(folder, "sw", entry).accepted
    assert accepted.select("prompt", "response").row(0) == ("Duka liko wapi?", "Mjini.")


@pytest.mark.parametrize("name", ["own.jsonl.gz", "own.NDJSON.zst", "own.ndjson"])
def test_a_single_file_may_be_compressed(tmp_path, name):
    data = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in AYA_ROWS).encode()
    with (tmp_path / name).open("wb") as plain:
        packing = {"gz": "gzip", "zst": "zstd"}.get(name.rsplit(".", 1)[-1])
        with pa.CompressedOutputStream(plain, packing) if packing else nullcontext(plain) as out:
            out.write(data)
    entry = corpus(name="own", dataset=name)
    folder = tmp_path / "auxiliary"
    assert fetch_corpus(entry, folder, tmp_path).rows == {"ar": 1, "ms": 1, "sw": 1}
    assert rows(folder, "sw", entry).accepted["prompt"].to_list() == [AYA[0][0]]


def test_a_broken_line_of_a_compressed_file_is_named(tmp_path):
    (tmp_path / "own.jsonl.gz").write_bytes(gzip.compress(b'{"language": "sw"}\n{"cut'))
    with pytest.raises(InputError, match=r"own\.jsonl\.gz:2: bad_json"):
        fetch_corpus(corpus(dataset="own.jsonl.gz"), tmp_path / "auxiliary", tmp_path)


def test_a_fetch_is_done_once_and_again_when_something_else_is_asked_for(tmp_path, copy):
    folder = tmp_path / "auxiliary"
    entry = corpus()
    assert not is_fetched(entry, folder, tmp_path)
    first = fetch_corpus(entry, folder, tmp_path)
    assert is_fetched(entry, folder, tmp_path)
    packed = (folder / "sw" / "aya.jsonl.zst").read_bytes()
    assert fetch_corpus(entry, folder, tmp_path) == first == fetched(entry, folder)
    assert (folder / "sw" / "aya.jsonl.zst").read_bytes() == packed
    fewer = corpus(languages=["swh"])
    assert not is_fetched(fewer, folder, tmp_path)
    again = fetch_corpus(fewer, folder, tmp_path)
    assert (again.rows, again.not_asked_for) == ({"sw": 1}, 2)
    assert not (folder / "ar" / "aya.jsonl.zst").exists()


def test_a_killed_fetch_leaves_nothing_that_is_read(tmp_path, copy, monkeypatch):
    def cut(*_):
        yield AYA_ROWS[0]
        raise KeyboardInterrupt

    folder = tmp_path / "auxiliary"
    monkeypatch.setattr("compass_core.corpora.hub.open_dataset", lambda *_: (cut(), "r"))
    with pytest.raises(KeyboardInterrupt):
        fetch_corpus(corpus(), folder, tmp_path)
    assert not (folder / "sw").exists()
    assert not is_fetched(corpus(), folder, tmp_path)
    monkeypatch.undo()
    assert sum(fetch_corpus(corpus(), folder, tmp_path).rows.values()) == 3


def test_a_hub_name_is_pinned_to_the_commit_it_stands_for(tmp_path, monkeypatch):
    asked = {}

    class Api:
        def dataset_info(self, name, revision):
            asked["info"] = (name, revision)
            return type("Info", (), {"sha": "f" * 40})

    def load(path, **options):
        asked["load"] = (path, options)
        return AYA_ROWS

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    monkeypatch.setattr(datasets, "load_dataset", load)
    entry = corpus(dataset="CohereLabs/aya_dataset", config="default", revision="main")
    assert open_dataset(entry, tmp_path) == (AYA_ROWS, "f" * 40)
    assert asked["info"] == ("CohereLabs/aya_dataset", "main")
    options = {"name": "default", "split": "train", "revision": "f" * 40, "streaming": True}
    assert asked["load"] == ("CohereLabs/aya_dataset", options)


def test_what_cannot_be_fetched_says_which_entry_and_what_to_do(tmp_path, copy):
    with pytest.raises(InputError, match=r"corpora: aya: .*split nothing.* cannot be opened"):
        fetch_corpus(corpus(split="nothing"), tmp_path / "auxiliary", tmp_path)
    with pytest.raises(InputError, match="name no known language"):
        fetch_corpus(corpus(columns={"language": "user_id"}), tmp_path / "a", tmp_path)
