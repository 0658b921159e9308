import pytest

from compass_core.adapters.fertility import SCHEMA, count_words, fertility
from compass_core.adapters.model_folder import load_tokenizer
from compass_core.config.schema import BaseModelSettings

SETTINGS = BaseModelSettings(model="models/llama")
TEXTS = {
    "sw": ["Mji mkuu wa Kenya ni upi?", "Ni Nairobi."],
    "en": ["What is the capital of Kenya?"],
    "th": ["เมืองหลวงของไทยคืออะไร"],
    "am": ["የኢትዮጵያ ዋና ከተማ"],
    "ja": ["。。"],
}


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Mji mkuu wa Kenya ni upi?", "sw", 6),
        ("भारत की राजधानी क्या है?", "hi", 5),
        ("ما هي عاصمة مصر؟", "ar", 4),
        ("เมืองหลวงของไทย", "th", 4),
        ("...", "sw", 0),
    ],
)
def test_words_in_scripts_with_and_without_spaces(text, language, words):
    assert count_words(text, language) == words


def test_tokens_a_word_against_english(project):
    table = fertility(SETTINGS, project, TEXTS)
    assert table.schema == SCHEMA
    assert table["language"].to_list() == ["am", "en", "sw", "th"]  # no word in the Japanese
    by_language = {row["language"]: row for row in table.to_dicts()}
    tokenizer = load_tokenizer(SETTINGS, project)
    counted = sum(len(tokenizer(t, add_special_tokens=False)["input_ids"]) for t in TEXTS["sw"])
    swahili = by_language["sw"]
    assert (swahili["tokens"], swahili["words"], swahili["texts"]) == (counted, 8, 2)
    assert swahili["tokens_per_word"] == pytest.approx(counted / 8)
    assert by_language["en"]["times_english"] == 1.0
    ratio = swahili["tokens_per_word"] / by_language["en"]["tokens_per_word"]
    assert swahili["times_english"] == pytest.approx(ratio)


def test_without_english_there_is_no_comparison(project):
    table = fertility(SETTINGS, project, {"sw": TEXTS["sw"]})
    assert table["times_english"].to_list() == [None]
    assert fertility(SETTINGS, project, {}).height == 0
