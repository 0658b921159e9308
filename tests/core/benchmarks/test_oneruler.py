import json
import re
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import torch

from compass_core.adapters.model_folder import load_base, load_tokenizer
from compass_core.benchmarks.oneruler import run
from compass_core.benchmarks.oneruler.generate import (
    NEEDLES,
    TEN,
    VARIANTS,
    WORDS,
    haystack_of,
    make_row,
    published_rows,
    words_of,
)
from compass_core.benchmarks.oneruler.judge import extracted, is_right
from compass_core.benchmarks.oneruler.prompts import PROMPTS, prompts_of
from compass_core.benchmarks.oneruler.run import run_oneruler
from compass_core.config.schema import BaseModelSettings, Execution, Suite
from compass_core.errors import InputError
from tests.core.families import family_folder

TAGS = "cs da de en es fa fi fr hi hu it ja ko nl no pl pt ru sr st sv sw ta uk vi zh"
ONERULER = TAGS.split(" ")
HAY = [f"Sentensi ya {i} inasema jambo la kawaida." for i in range(300)]
WORD_LIST = [f"neno{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(400)]


def count(text):
    return len(text.split())


class Words:
    """A tokenizer whose tokens are words."""

    chat_template = None
    bos_token = None

    def __call__(self, text, **more):
        return {"input_ids": text.split()}


def row_of(variant, language="sw", tokens=900, index=0, words=WORD_LIST):
    return make_row(variant, language, HAY, words, tokens, count, 17, index)


def test_there_are_prompts_in_all_languages_of_oneruler():
    assert sorted(PROMPTS) == ONERULER
    for tag, say in PROMPTS.items():
        assert "{key}" in say.needle, tag
        assert "{value}" in say.needle, tag
        assert "{a}" in say.one, tag
        assert "{b}" in say.two, tag
        assert say.none.casefold() in say.all_or_none.casefold(), tag
        assert len(set(say.nouns)) >= 8, tag
        assert not any(x in y for x in say.nouns for y in say.nouns if x != y), tag
    assert len(PROMPTS) == 26
    with pytest.raises(InputError, match="no prompts in yo"):
        prompts_of("yo")
    assert prompts_of("nb") is PROMPTS["no"]


@pytest.mark.parametrize("language", ONERULER)
@pytest.mark.parametrize("variant", sorted(NEEDLES))
def test_what_is_asked_for_is_in_the_text_and_only_then(variant, language):
    row = row_of(variant, language)
    keys, values, asked, present = NEEDLES[variant]
    say = prompts_of(language)
    body = row["input"].split("<text>")[1].split("</text>")[0]
    found = re.findall(r"\d{7}", body)
    assert len(found) == keys * values
    assert row["length"] == count(row["input"]) <= 900
    if present:
        assert len(row["outputs"]) == asked * values
        assert set(row["outputs"]) <= set(found)
        assert is_right(
            variant, row["outputs"], f"<answer>{', '.join(row['outputs'])}</answer>", language
        )
        assert not is_right(variant, row["outputs"], f"<answer>{say.none}</answer>", language)
    else:
        assert row["outputs"] == [say.none]
        wanted = next(n for n in say.nouns if n in row["input"].split("</text>")[1])
        assert wanted not in body
        assert is_right(variant, row["outputs"], f"<answer>{say.none}</answer>", language)
        assert not is_right(variant, row["outputs"], f"<answer>{found[0]}</answer>", language)


def test_rows_are_the_same_again_and_differ_by_index():
    assert row_of("niah_single") == row_of("niah_single")
    assert row_of("niah_single")["outputs"] != row_of("niah_single", index=1)["outputs"]
    longer = row_of("niah_single", tokens=1800)
    assert 1700 < longer["length"] <= 1800


@pytest.mark.parametrize("variant", sorted(WORDS))
def test_the_ten_words_are_the_most_frequent_ones(variant):
    row = row_of(variant, tokens=2500)
    listed = re.findall(r"\d+\. (\S+)", row["input"].split("<list>")[1].split("</list>")[0])
    counted = pl.Series("w", listed).value_counts().sort("count", descending=True)
    often, seldom = WORDS[variant]
    assert set(counted["w"].head(10)) == set(row["outputs"])
    assert set(counted["count"].head(10)) == {often}
    assert set(counted["count"].tail(-10)) == {seldom}
    assert is_right(
        variant, row["outputs"], "<answer>" + ", ".join(row["outputs"]) + "</answer>", "sw"
    )
    assert not is_right(variant, row["outputs"], ", ".join(row["outputs"][:9]), "sw")


@pytest.mark.parametrize(
    ("response", "right"),
    [
        ("<answer>1234567, 7654321</answer>", True),
        ("1. 7654321\n2. 1234567", True),
        ("<Answer>1234567</Answer>", False),
        ("<answer>1234567, 7654321, 1111111</answer>", False),
        ("１２３４５６７ 7654321", True),
        ("", False),
        ("none", False),
        ("<answer>1234567, 7654321 or none</answer>", False),
        ("nonetheless 1234567, 7654321", True),
    ],
)
def test_numbers_are_a_set(response, right):
    assert is_right("niah_multivalue", ["1234567", "7654321"], response, "en") == right


def test_an_answer_is_numbers_or_the_languages_word_for_none_and_never_both():
    for language, say in PROMPTS.items():
        both = f"<answer>1234567, {say.none}</answer>"
        assert not is_right("niah_single", ["1234567"], both, language), language
        assert not is_right("niah_none", [say.none], both, language), language
        assert is_right("niah_none", [say.none], f"<answer>{say.none}</answer>", language)
        assert is_right("niah_single", ["1234567"], "<answer>1234567</answer>", language)
    assert not is_right("niah_single", ["1234567"], "1234567. 没有,无。", "zh-Hant")
    assert is_right("niah_single", ["1234567"], "1234567 none", "eu")  # has no prompts here


def test_an_empty_response_has_no_answer():
    assert extracted("<answer> </answer>") is None
    assert extracted(" 12 ") == "12"


def test_contexts_that_are_too_short_are_refused():
    with pytest.raises(InputError, match="are too few"):
        row_of("niah_multikey", tokens=50)
    with pytest.raises(InputError, match="30 times each"):
        row_of("cwe_easy", tokens=200)


@pytest.mark.parametrize("variant", sorted(WORDS))
def test_words_that_run_out_are_asked_for_and_no_short_list_is_filed_as_a_long_one(variant):
    with pytest.raises(InputError, match=r"60 words .* more words are needed.*sw\.words\.txt"):
        row_of(variant, tokens=8192, words=WORD_LIST[:60])
    # 110 words: the ten and a hundred others, every one of them used, and the length is reached
    often, seldom = WORDS[variant]
    most = 2 * (TEN * often + 100 * seldom)
    row = row_of(variant, tokens=most + 50, words=WORD_LIST[:110])
    assert most < row["length"] <= most + 50


def test_a_length_that_has_too_few_words_is_left_out_and_said(tmp_path):
    (tmp_path / "sw.txt").write_text("Neno. " * 3, encoding="utf-8")
    (tmp_path / "sw.words.txt").write_text("\n".join(WORD_LIST[:110]), encoding="utf-8")
    suite = Suite(name="l", kind="oneruler", lengths=[1100, 9000], max_items=1, data=".")
    rows, said = rows_of(suite, "sw", "cwe_easy", tmp_path, positions=10_000)
    assert [name for name, _ in rows] == ["cwe_easy/1100/0"]
    assert len(said) == 1
    assert said[0].startswith("cwe_easy at 9,000 tokens: cwe_easy: 110 words")


def rows_of(suite, language, variant, folder, positions, room=0):
    """Rows as they are chosen or made, and what was left out of them."""
    said = []
    rows = run._rows(
        *(suite, language, variant, Words(), folder, positions, room),
        lambda what, why: said.append(f"{what}: {why}"),
    )
    return rows, said


@pytest.mark.parametrize(
    ("positions", "lengths", "left_out"),
    [
        (None, [1000, 2000], []),
        (2000, [1000, 2000], []),  # as Llama 3.1 and 128K: exactly as many as the length
        (1900, [1000, 2000], []),  # a little less is filed under the length that is meant
        (1500, [1000], ["2,000 tokens: the model has 1,500 positions"]),
    ],
)
def test_the_answer_has_room_within_the_length_and_the_models_positions(
    positions, lengths, left_out
):
    suite = Suite(name="l", kind="oneruler", lengths=[1000, 2000], max_items=1)
    rows, said = rows_of(suite, "sw", "niah_single", Path(), positions, room=128)
    assert [name for name, _ in rows] == [f"niah_single/{n}/0" for n in lengths]
    for n, (_, row) in zip(lengths, rows, strict=True):
        most = min(n, positions or n) - 128
        assert most - 30 < row["length"] <= most
    assert said == left_out


def test_published_rows_may_be_a_tenth_longer_and_what_is_longer_still_is_said(tmp_path):
    place = tmp_path / "sw" / "8192" / "niah_single"
    place.mkdir(parents=True)
    rows = [
        {"index": i, "input": "x", "outputs": ["1234567"], "length": length}
        for i, length in enumerate([8500, 9011, 9100])
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (place / "validation.jsonl").write_text(text, encoding="utf-8")
    suite = Suite(name="l", kind="oneruler", lengths=[8192], data=".")
    found, said = rows_of(suite, "sw", "niah_single", tmp_path, positions=None)
    assert [row["index"] for _, row in found] == [0, 1]
    assert said == [
        "1 of 3 published rows of niah_single: longer than 9,011 tokens, 10 % above the longest of "
        "the suite's `lengths`"
    ]


@pytest.mark.parametrize(
    ("language", "reason"), [("yo", "no prompts in yo"), ("ko", "no text in ko")]
)
def test_a_language_without_prompts_or_text_has_no_rows_and_says_so_once(
    language, reason, tmp_path
):
    suite = Suite(name="long", kind="oneruler", lengths=[1000], max_items=1)
    model = SimpleNamespace(config=SimpleNamespace(max_position_embeddings=4096))
    said = []
    assert run_oneruler(suite, language, model, Words(), tmp_path, said.append) == []
    assert len(said) == 1
    assert said[0].startswith(f"long {language}: contexts made here left out: oneruler: {reason}")


def test_words_that_are_missing_leave_the_needles(tmp_path):
    suite = Suite(name="long", kind="oneruler", lengths=[1000], max_items=1)
    rows, said = rows_of(suite, "ja", "cwe", tmp_path, positions=None)
    assert rows == []
    assert said[0].startswith("cwe: oneruler: cwe in ja needs a list of words")
    assert rows_of(suite, "sw", "niah_none", tmp_path, positions=None)[0]


def test_a_haystack_is_the_users_or_the_sample_worlds(tmp_path):
    (tmp_path / "pl.txt").write_text("Pierwsze zdanie. Drugie zdanie! Trzecie?", encoding="utf-8")
    assert haystack_of("pl", tmp_path) == ["Pierwsze zdanie.", "Drugie zdanie!", "Trzecie?"]
    assert len(haystack_of("sw", tmp_path)) > 1000
    (tmp_path / "pl.txt").write_text(" \n", encoding="utf-8")
    with pytest.raises(InputError, match=r"pl\.txt: received an empty file"):
        haystack_of("pl", tmp_path)
    with pytest.raises(InputError, match=r"no text in ko; .* as ko\.txt"):
        haystack_of("ko", tmp_path)
    assert words_of("pl", None, ["Dwa słowa, dwa."]) == ["dwa", "słowa"]
    with pytest.raises(InputError, match=r"ja\.words\.txt"):
        words_of("ja", None, ["言葉"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("oneruler")
    family_folder(folder / "m", "llama-3.1", max_position_embeddings=2048)
    return folder


def test_a_model_is_asked_and_its_answer_judged(folder, monkeypatch):
    base = BaseModelSettings(model="./m")
    model = load_base(base, folder, Execution(device="cpu", threads=1))
    tokenizer = load_tokenizer(base, folder)
    suite = Suite(
        name="long",
        kind="oneruler",
        variants=["niah_single", "niah_none"],
        lengths=[1200, 1600, 8192],
        max_items=2,
        max_new_tokens=60,
    )
    said = []
    rows = run_oneruler(suite, "sw", model, tokenizer, folder, said.append)
    assert [line for line in said if "left out" in line] == [
        "long sw: 8,192 tokens left out: the model has 2,048 positions"
    ]
    assert [row["item_id"] for row in rows] == [
        f"{variant}/{length}/{i}"
        for variant in ("niah_single", "niah_none")
        for length in (1200, 1600)  # 8192 is beyond the model's positions
        for i in range(2)
    ]
    assert not any(row["correct"] for row in rows)  # random weights

    def oracle(model, tokenizer, ids, room):
        body, question = tokenizer.decode(ids).split("</text>")
        key = re.search('"([^"]+)"', question).group(1)
        found = re.search(f'"{key}" ni (\\d+)', body)
        return found.group(1) if found else "hakuna"

    monkeypatch.setattr(run, "_answer", oracle)
    assert all(row["correct"] for row in run_oneruler(suite, "sw", model, tokenizer, folder))


def test_words_are_whole_in_scripts_with_vowel_signs_and_without_spaces():
    assert words_of("hi", None, ["अच्छी किताब पढ़िए"]) == ["अच्छी", "किताब", "पढ़िए"]
    assert words_of("ta", None, ["நல்ல புத்தகம்"]) == ["நல்ல", "புத்தகம்"]
    assert "หนังสือ" in words_of("th", None, ["ฉันอ่านหนังสือทุกวัน"])


def test_files_of_a_language_may_have_onerulers_own_tag(tmp_path):
    place = tmp_path / "no" / "8192" / "niah_single"
    place.mkdir(parents=True)
    row = {"index": 1, "input": "x", "outputs": ["1234567"], "length": 12}
    (place / "validation.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (tmp_path / "pt.txt").write_text("Uma frase. Outra frase.", encoding="utf-8")
    assert len(published_rows(tmp_path, "nb", "niah_single")) == 1
    assert haystack_of("pt-BR", tmp_path) == ["Uma frase.", "Outra frase."]
    (tmp_path / "pt-BR.txt").write_text("Minha frase.", encoding="utf-8")
    assert haystack_of("pt-BR", tmp_path) == ["Minha frase."]


def test_an_answer_that_could_not_be_given_is_not_asked_for(tmp_path):
    suite = Suite(
        name="l",
        kind="oneruler",
        variants=["cwe_easy"],
        lengths=[1200],
        max_items=2,
        max_new_tokens=9,  # ten words are ten tokens here
        data=".",
    )
    (tmp_path / "sw.words.txt").write_text("\n".join(WORD_LIST), encoding="utf-8")
    model, said = SimpleNamespace(config=SimpleNamespace()), []
    assert run_oneruler(suite, "sw", model, Words(), tmp_path, said.append) == []
    assert said == [
        "l sw: rows of cwe_easy left out: a right answer takes more than the 9 tokens that are "
        "generated; set max_new_tokens of the suite"
    ]


def test_an_answer_ends_where_the_training_ends_it_and_pays_no_penalty(tmp_path):
    family_folder(tmp_path / "m", "qwen2.5")
    base = BaseModelSettings(model="./m")
    model = load_base(base, tmp_path, Execution(device="cpu", threads=1))
    tokenizer = load_tokenizer(base, tmp_path)
    tokenizer.eos_token = "<|endoftext|>"  # as the checkpoints without instructions have it
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.repetition_penalty = 1.5
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    asked = {}

    def generate(**more):
        asked.update(more)
        return more["input_ids"]

    model.generate = generate
    run._answer(model, tokenizer, [40, 41], 8)
    assert asked["eos_token_id"] == sorted([end, tokenizer.eos_token_id])
    assert (asked["do_sample"], asked["repetition_penalty"]) == (False, 1.0)


def test_published_rows_are_taken_as_they_are(folder, tmp_path, monkeypatch):
    place = tmp_path / "data" / "st" / "8192" / "niah_single"
    place.mkdir(parents=True)
    row = {"index": 3, "input": "Potso", "outputs": ["1234567"], "length": 12}
    (place / "validation.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    monkeypatch.setattr(run, "_answer", lambda *given: "1234567")
    tokenizer = load_tokenizer(BaseModelSettings(model="./m"), folder)
    model = SimpleNamespace(config=SimpleNamespace(max_position_embeddings=1024), device=torch)
    suite = Suite(name="l", kind="oneruler", variants=["niah_single"], data="data")
    found = run_oneruler(suite, "st", model, tokenizer, tmp_path)
    assert [r["item_id"] for r in found] == ["8192/niah_single/validation.jsonl/3"]
    assert found[0]["correct"]
    model.config.max_position_embeddings = 130
    said = []
    assert run_oneruler(suite, "st", model, tokenizer, tmp_path, said.append) == []
    assert re.search(
        r"validation\.jsonl/3 left out: \d+ tokens and 128 to generate; the model has 130", said[-1]
    )
    (place / "validation.jsonl").write_text(json.dumps({"index": 1}), encoding="utf-8")
    with pytest.raises(InputError, match=r"validation\.jsonl:1: received index; a row has"):
        published_rows(tmp_path / "data", "st", "niah_single")


def test_an_unknown_variant_is_refused():
    suite = Suite(name="l", kind="oneruler", variants=["niah_triple"])
    with pytest.raises(InputError, match=f"allowed: {VARIANTS[0]}"):
        run_oneruler(suite, "sw", None, None, None)
