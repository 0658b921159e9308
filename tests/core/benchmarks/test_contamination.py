import unicodedata

import polars as pl
import pytest

from compass_core import records
from compass_core.benchmarks.contamination import BenchmarkIndex, normalised, tokens


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
    assert normalised(one) == normalised(other)


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
    assert normalised(one) != normalised(other)


FILLER = {
    "sw": "Leo asubuhi nilikwenda sokoni kununua mboga na matunda kwa ajili ya familia yangu.",
    "th": "วันนี้ฉันไปตลาดเพื่อซื้อผักและผลไม้สำหรับครอบครัวของฉัน",
    "ja": "今日は家族のために市場へ行って野菜と果物を買いました",
}
LONG = {
    "sw": "Ni mji gani wa pwani ambao ulikuwa makao makuu ya biashara ya karafuu wakati huo?",
    "th": "เมืองชายฝั่งใดเคยเป็นศูนย์กลางการค้ากานพลูในสมัยนั้นและตั้งอยู่บนเกาะ",
    "ja": "当時クローブ貿易の中心地であった海沿いの町はどこですか",
}
SHORT = {"sw": "Mji mkuu ni upi?", "th": "เมืองหลวงคือ?", "ja": "首都はどこ?"}
LONG_CHOICE = {
    "sw": "Kwa sababu meli zote za biashara zilipita hapo kabla ya kuvuka bahari kubwa",
    "th": "เพราะเรือสินค้าทุกลำต้องแวะพักที่นั่นก่อนข้ามมหาสมุทร",
    "ja": "すべての商船が大洋を渡る前にそこへ立ち寄ったからです",
}


def item(number, question, choices):
    filled = {
        "item_id": f"i{number}",
        "suite": "mtihani",
        "split": "dev" if number % 2 else "test",
        "question": question,
        "choices": choices,
    }
    return dict.fromkeys(records.BENCHMARK) | filled


def index(language):
    items = [
        item(0, LONG[language], ["A1", LONG_CHOICE[language]]),
        item(1, SHORT[language], ["B1", "B2"]),
        item(2, "Ipi ni sahihi?", ["C1", "C2"]),
        item(3, "Ipi ni sahihi?", ["D1", "D2"]),
    ]
    return BenchmarkIndex(pl.DataFrame(items, schema=records.BENCHMARK))


def hits(language, *rows):
    frame = pl.DataFrame(
        {
            "row_id": [f"r{i}" for i in range(len(rows))],
            "language": language,
            "content_hash": "",
            "prompt": [row[0] for row in rows],
            "response": [row[1] for row in rows],
        }
    )
    return dict(index(language).screen(frame).hits.iter_rows())


@pytest.mark.parametrize("language", ["sw", "th", "ja"])
def test_items_are_found_whole_embedded_in_the_answer_and_by_a_long_choice(language):
    filler = FILLER[language]
    found = hits(
        language,
        (LONG[language], "x"),
        (f"{filler} {LONG[language]} {filler}", "x"),
        (filler, f"{filler}\n{LONG[language].upper()}"),
        (filler, f"{filler} {LONG_CHOICE[language]}"),
        (filler, filler),
    )
    assert set(found) == {"r0", "r1", "r2", "r3"}
    assert found["r1"].startswith("mtihani test i0: question")
    assert "choice" in found["r3"]


@pytest.mark.parametrize("language", ["sw", "th", "ja"])
def test_short_items_are_found_as_prompts_and_lines_but_not_as_chance_words(language):
    filler, short = FILLER[language], SHORT[language]
    found = hits(
        language,
        (short, "x"),
        (f"{filler}\n{short}  B2\n{filler}", "x"),
        (f"{filler} B1 B2", "A1"),
    )
    assert set(found) == {"r0", "r1"}
    assert found["r0"].startswith("mtihani dev i1")


WRAPPED = {
    "Nini husababisha malaria?": [
        "1) Nini husababisha malaria?",
        "(12) nini husababisha malaria",
        "Habari, nini husababisha malaria?",
        "Nini husababisha malaria, tafadhali",
        "Jibu (nini husababisha malaria) kwa ufupi",
    ],
    "法国的首都是哪里？": [
        "1、法国的首都是哪里？",
        "你好，法国的首都是哪里，谢谢",
        "请问法国的首都是哪里？\nA. 巴黎",
    ],
    "DNAとは何か？": ["次の問いに答えよ。\nDNAとは何か？", "質問「DNAとは何か」に答えよ"],
}


@pytest.mark.parametrize(("question", "wrapped"), [(q, w) for q in WRAPPED for w in WRAPPED[q]])
def test_a_short_question_is_found_behind_a_number_a_greeting_or_a_bracket(question, wrapped):
    frame = pl.DataFrame([item(0, question, ["A1", "B1"])], schema=records.BENCHMARK)
    assert found_in(frame, wrapped) == [True]
    assert found_in(frame, FILLER["sw"] + FILLER["ja"]) == [False]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Usanisinuru", "Eleza maneno haya: upumuaji, usanisinuru, mmeng'enyo"),  # one of a list
        ("Vita vikuu", "Vita vya Kagera, vita vikuu, vita baridi"),
        ("คืออะไร", "ความรักคืออะไรสำหรับคุณ"),  # "what is": seven characters, two words
        ("何か", "DNAとは、何か、を学ぶ"),
    ],
)
def test_a_word_or_two_between_commas_or_inside_is_no_item(question, text):
    frame = pl.DataFrame([item(0, question, ["A1", "B1"])], schema=records.BENCHMARK)
    assert found_in(frame, text) == [False]


def found_in(items, *prompts):
    rows = pl.DataFrame(
        {
            "row_id": [str(i) for i in range(len(prompts))],
            "language": "sw",
            "content_hash": "",
            "prompt": prompts,
            "response": "x",
        }
    )
    found = BenchmarkIndex(items).screen(rows).hits["row_id"].to_list()
    return [str(i) in found for i in range(len(prompts))]


def test_a_question_that_several_items_share_counts_with_its_choices_only():
    found = hits("sw", ("Ipi ni sahihi?", "x"), ("Ipi ni sahihi?", "D2"))
    assert list(found) == ["r1"]
    assert "i3" in found["r1"]


@pytest.mark.parametrize(
    "again",
    [
        {"suite": "nakala"},
        {"suite": "nakala", "choices": ["E1", "E2", "E3"]},  # as MMLU-ProX has more of them
        {"split": "dev"},
        {"choices": [LONG_CHOICE["sw"].upper(), "A1"]},
    ],
)
def test_an_item_that_stands_in_two_suites_or_splits_is_looked_for_all_the_same(again):
    first = item(0, LONG["sw"], ["A1", LONG_CHOICE["sw"]])
    items = pl.DataFrame([first, first | {"item_id": "j0"} | again], schema=records.BENCHMARK)
    filler = FILLER["sw"]
    rows = pl.DataFrame(
        {
            "row_id": ["question", "inside", "choice", "neither"],
            "language": "sw",
            "content_hash": "",
            "prompt": [LONG["sw"], f"{filler} {LONG['sw']}", filler, filler],
            "response": ["x", "x", LONG_CHOICE["sw"], filler],
        }
    )
    found = BenchmarkIndex(items).screen(rows).hits["row_id"].to_list()
    assert found == ["question", "inside", "choice"]


def bare(text):
    """Without marks, as many people write."""
    parts = unicodedata.normalize("NFD", text)
    return "".join(c for c in parts if not unicodedata.combining(c))


YORUBA = "Èwo nínú àwọn ẹ̀yà ara wọ̀nyí ni ó ń sọ ẹ̀jẹ̀ di mímọ́ nínú ara ènìyàn?"
ARABIC = "أيُّ عُضْوٍ مِنَ الأَعْضَاءِ التَّالِيَةِ مَسْؤُولٌ عَنْ تَصْفِيَةِ الدَّمِ فِي الجِسْمِ؟"
GREEK = "Ποιο από τα παρακάτω όργανα είναι υπεύθυνο για το φιλτράρισμα του αίματος;"
TURKISH = "Aşağıdaki organlardan hangisi insan vücudunda kanın süzülmesinden asıl sorumludur?"
PERSIAN = "کدام یک از اندام های زیر مسئول اصلی تصفیه خون در بدن انسان است؟"


@pytest.mark.parametrize(
    ("question", "written"),
    [
        (YORUBA, bare(YORUBA)),
        (bare(YORUBA), YORUBA),
        (YORUBA, unicodedata.normalize("NFD", YORUBA)),
        (ARABIC, bare(ARABIC)),
        (ARABIC, bare(ARABIC).replace("الدم", "الــدم")),  # drawn out
        (GREEK, bare(GREEK.upper())),
        (TURKISH, TURKISH.replace("i", "İ").upper()),
        (TURKISH, TURKISH.upper()),
        (PERSIAN, PERSIAN.replace("ی", "ي").replace("ک", "ك")),
        (LONG["sw"], LONG["sw"].replace("fuu", "\u00adfuu").replace("pwani", "pwa\u200bni")),
    ],
    ids=[
        "tones",
        "no_tones",
        "apart",
        "points",
        "drawn_out",
        "capitals",
        "i_dots",
        "no_dots",
        "yeh_kaf",
        "unseen",
    ],
)
def test_diacritics_and_what_cannot_be_seen_do_not_hide_an_item(question, written):
    frame = pl.DataFrame([item(0, question, ["A1", "B1"])], schema=records.BENCHMARK)
    inside = f"{FILLER['sw']} {written} {FILLER['sw']}"
    assert found_in(frame, written, inside) == [True, True]


@pytest.mark.parametrize(
    ("question", "sign", "other"), [("दिन कितने घंटे का होता है", "ि", "ी"), ("เดือนมีกี่วัน", "ี", "ิ")]
)
def test_vowel_signs_are_letters(question, sign, other):
    frame = pl.DataFrame([item(0, question, ["A1", "B1"])], schema=records.BENCHMARK)
    assert found_in(frame, question, question.replace(sign, other)) == [True, False]


def test_an_edited_long_item_is_found_and_a_text_on_the_same_topic_is_not():
    question = " ".join(f"neno{i}" for i in range(60))
    frame = pl.DataFrame([item(0, question, ["x", "y"])], schema=records.BENCHMARK)
    other = question.replace("neno30", "kitu")
    half = " ".join(question.split()[:30]) + " " + " ".join(f"tofauti{i}" for i in range(30))
    rows = pl.DataFrame(
        {
            "row_id": ["edited", "half"],
            "language": "sw",
            "content_hash": "",
            "prompt": [other, half],
            "response": "x",
        }
    )
    found = BenchmarkIndex(frame).screen(rows).hits
    assert found["row_id"].to_list() == ["edited"]


def test_without_items_nothing_is_found():
    empty = BenchmarkIndex(pl.DataFrame(schema=records.BENCHMARK))
    rows = pl.DataFrame(
        {"row_id": ["a"], "language": "sw", "content_hash": "", "prompt": "?", "response": ""}
    )
    assert empty.screen(rows).hits.height == 0


def test_tokens_are_words_or_characters():
    assert tokens("Mji mkuu, 2.5! 首都 कमल") == ["mji", "mkuu", "2", "5", "首", "都", "कमल"]
