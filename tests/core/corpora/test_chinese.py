"""Simplified and traditional Chinese are told apart, and a row in the wrong one is flagged."""

import json
import subprocess
import sys

import pytest

from compass_core.config.schema import LanguageId
from compass_core.corpora.chinese import script_of_tag, script_of_text
from compass_core.corpora.ingest import ingest_text
from compass_core.corpora.language_id import identify
from compass_core.corpora.rules import Rules

HANS = "村里的农民在大雨过后收获了很多玉米，他们都很高兴。"
HANT = "村裡的農民在大雨過後收穫了很多玉米，他們都很高興。"


@pytest.mark.parametrize(("text", "name"), [(HANS, "Hans"), (HANT, "Hant")])
def test_a_sentence_is_written_in_one_of_them(text, name):
    found = script_of_text(text)
    assert (found.name, found.share) == (name, 1.0)
    assert found.telling >= 5


@pytest.mark.parametrize("text", ["", "abc 123", "你好，明天下雨。", "सुप्रभात"])
def test_what_is_the_same_in_both_tells_nothing(text):
    assert script_of_text(text) is None


@pytest.mark.parametrize(
    ("tag", "script"),
    [("zh", "Hans"), ("zh-CN", "Hans"), ("zh-SG", "Hans")]
    + [(tag, "Hant") for tag in ("zh-Hant", "zh-TW", "zh-HK", "zh-MO", "zh-Hant-HK")],
)
def test_a_tag_names_its_script_or_its_territory(tag, script):
    assert script_of_tag(tag) == script


@pytest.mark.parametrize(
    ("declared", "text", "tag", "flag"),
    [
        ("zh-Hant", HANT, "zh-Hant", "agrees"),
        ("zh-TW", HANT, "zh-Hant", "agrees"),
        ("zh-Hant", HANS, "zh", "disagrees"),
        ("zh-TW", HANS, "zh", "disagrees"),
        ("zh-HK", HANS, "zh", "disagrees"),
        ("zh-CN", HANT, "zh-Hant", "disagrees"),
        ("zh", HANS, "zh", "agrees"),
        ("zh", HANT, "zh-Hant", "related"),  # many sources write zh for both
        ("zh-Hant", f"{HANT}\n{HANS}", "zh", "agrees"),  # both: nothing is said of it
    ],
)
def test_the_flag_says_whether_the_script_is_the_declared_one(declared, text, tag, flag):
    (found,) = identify([text], declared, LanguageId())
    assert (found.tag, found.flag) == (tag, flag)


def test_a_variety_that_is_confused_with_it_is_held_against_the_script_too():
    spoken = "佢哋今日去咗邊度食飯？我哋等咗佢哋好耐，都仲未返嚟，真係擔心。"
    assert identify([spoken], "yue", LanguageId())[0].tag == "yue"
    found = [identify([spoken], declared, LanguageId())[0] for declared in ("zh-Hant", "zh-CN")]
    assert [verdict.flag for verdict in found][1] == "disagrees"
    assert found[0].flag != "disagrees"


def test_one_character_or_a_short_text_is_no_disagreement():
    one = "今天的天气好不好，明天下雨不下雨？"  # of one script only: the 气 of weather
    assert script_of_text(one).telling == 1
    assert identify([one], "zh-Hant", LanguageId())[0].flag == "unsure"
    short = LanguageId(min_letters=100)
    assert identify([HANS], "zh-Hant", short)[0].flag == "unsure"


def test_a_row_may_be_more_exact_than_its_folder(tmp_path):
    rows = [
        {"id": "1", "prompt": HANS, "response": HANS, "language_code": "zh-TW"},
        {"id": "2", "prompt": HANT, "response": HANT, "language_code": "zh-TW"},
        {"id": "3", "prompt": HANS, "response": HANS + "是的。"},
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    found = ingest_text(tmp_path, "zh", Rules()).accepted
    by_text = {(r["declared_language"], r["prompt"]): r["language_flag"] for r in found.to_dicts()}
    assert by_text == {
        ("zh-TW", HANS): "disagrees",
        ("zh-TW", HANT): "agrees",
        ("zh", HANS): "agrees",
    }


def test_the_table_is_not_loaded_on_import():
    code = "import sys, compass_core.corpora.ingest; sys.exit('zhon' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
