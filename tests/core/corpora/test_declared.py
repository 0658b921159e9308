"""A row's own language, in the columns that Aya, its Collection and others have."""

import json

import pytest

from compass_core.config.schema import Corpus
from compass_core.corpora.declared import declared_tag
from compass_core.corpora.ingest import ingest_text
from compass_core.corpora.rules import Rules


@pytest.mark.parametrize(
    ("record", "tag"),
    [
        ({"language": "Swahili", "language_code": "swh"}, "sw"),
        ({"language": "Nepali", "language_code": "npi"}, "ne"),
        ({"language": "Traditional Chinese", "language_code": "zho"}, "zh-Hant"),
        ({"language": "Simplified Chinese", "language_code": "zho"}, "zh"),
        ({"language": "zho", "script": "Hant"}, "zh-Hant"),
        ({"language": "zho", "script": "Hans"}, "zh"),
        ({"language": "arb", "script": "Latn"}, "ar-Latn"),
        ({"language": "kor", "script": "Hang"}, "ko"),
        ({"language": "zh-TW", "script": "Hant"}, "zh-TW"),
        ({"language": "sw", "script": "Dialogue"}, "sw"),
        ({"language": "sw", "script": "Text"}, "sw"),
        ({"language_code": "en", "language": "Swahili"}, "en"),  # the code is believed first
        ({"language_code": "??", "language": "Swahili"}, "sw"),
        ({"language": "", "lang": None}, None),
        ({}, None),
    ],
)
def test_the_first_column_that_names_a_language_counts_as_exactly_as_the_others_say(record, tag):
    assert declared_tag(record) == tag


def test_a_row_that_names_only_unknown_languages_says_which():
    with pytest.raises(ValueError, match="'martian!'"):
        declared_tag({"lang": "martian!", "language": "xx"})


def ingested(folder, *records, folder_is="sw", columns=None):
    (folder / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    entry = Corpus(name="a", files="a.jsonl", columns=columns or {})
    return ingest_text(folder, folder_is, Rules(), corpora=[entry] if columns else [])


def test_rows_of_the_code_of_a_variety_lie_in_the_folder_of_the_language(tmp_path):
    rows = [{"inputs": "a", "targets": "b", "language_code": "npi", "language": "Nepali"}]
    assert ingested(tmp_path, *rows, folder_is="ne").accepted["declared_language"].to_list() == [
        "ne"
    ]


def test_an_empty_language_is_that_of_the_folder(tmp_path):
    result = ingested(tmp_path, {"prompt": "a", "response": "b", "language": ""})
    assert result.accepted["declared_language"].to_list() == ["sw"]


@pytest.mark.parametrize("more", [{}, {"prompt": "prompt", "response": "response"}])
def test_a_mapped_language_column_counts_and_no_other(tmp_path, more):
    row = {"prompt": "a", "response": "b", "lang": "en", "script": "Hant", "target": "swh"}
    result = ingested(tmp_path, row, columns={"language": "target", **more})
    assert result.accepted["declared_language"].to_list() == ["sw"], result.quarantined.rows()
