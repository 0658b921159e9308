import pytest

from compass_core import records
from compass_core.benchmarks.contamination import benchmark_hashes, normalised_hash


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mji mkuu wa Kenya ni upi?", "mji  mkuu wa kenya, ni upi"),
        ("日本の首都は、どこですか。", "日本の 首都はどこですか"),
        ("ＡＢＣ１２３", "abc123"),
        ("เมืองหลวง ของไทย", "เมืองหลวงของไทย"),
        ("straße", "STRASSE"),
    ],
)
def test_case_width_spaces_and_signs_do_not_count(one, other):
    assert normalised_hash(one) == normalised_hash(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("भारत की राजधानी", "भारत का राजधानी"),  # one vowel mark
        ("ما عاصمة مصر", "ما عاصمة قطر"),
        ("2 + 2", "2 + 3"),
        ("👍", "👎"),
        ("???", "!!!"),
    ],
)
def test_what_makes_another_text_counts(one, other):
    assert normalised_hash(one) != normalised_hash(other)


def test_a_question_alone_and_with_each_choice_is_known():
    import polars as pl

    row = dict.fromkeys(records.BENCHMARK, "x")
    row |= {"question": "ሀገሩ?", "choices": ["ኢትዮጵያ", "ኬንያ"], "answer": 0}
    found = benchmark_hashes(pl.DataFrame([row], schema=records.BENCHMARK))
    expected = ["ሀገሩ", "ሀገሩ? ኢትዮጵያ", "ሀገሩ\nኬንያ!"]
    assert found == {normalised_hash(text) for text in expected}
    assert normalised_hash("ኢትዮጵያ") not in found
