"""The rules for text, each with text that breaks it and text that does not."""

import random
import unicodedata

import pytest

from compass_core.config.schema import Cleaning
from compass_core.corpora.boilerplate import without_boilerplate
from compass_core.corpora.clean import TextError, clean_text
from compass_core.corpora.duplicates import Seen, find_duplicates, remember, similarity
from compass_core.corpora.repetition import repetition

RULES = Cleaning()
PROSE = {
    "en": "The river rose in the night and by morning the lower fields were under water, so the "
    "farmers carried what they could to the hill and waited there with their goats. Nobody "
    "had seen such a flood since the bridge was built, and some began to ask whether the "
    "road would hold. Towards evening the rain stopped, a thin sun came out over the valley.",
    "th": "น้ำในแม่น้ำขึ้นสูงตอนกลางคืน พอรุ่งเช้าที่นาด้านล่างก็จมอยู่ใต้น้ำ ชาวบ้านขนข้าวของขึ้นไปบนเนินเขา "
    "แล้วรออยู่ที่นั่นกับแพะของพวกเขา ไม่มีใครเคยเห็นน้ำท่วมใหญ่แบบนี้ตั้งแต่สร้างสะพาน ตกเย็นฝนหยุด",
}


def test_a_wrong_decoding_is_repaired_and_good_text_left_alone():
    broken = "mañana es été".encode().decode("windows-1252")
    assert clean_text(broken, 99, RULES) == "mañana es été"
    assert clean_text(broken, 99, Cleaning(mojibake=False)) == broken
    for text in ("नमस्ते\u200d “sawa”", "می\u200cخواهم", "ﬁ ①"):
        assert clean_text(text, 99, RULES) == text


def test_normal_form_and_control_characters_follow_the_rules():
    assert clean_text("ﬁ①", 99, Cleaning(unicode="NFKC")) == "fi1"
    assert clean_text("a\x00b", 99, Cleaning(control_characters="remove")) == "ab"
    with pytest.raises(TextError) as error:
        clean_text("a\x00b", 99, RULES)
    assert error.value.reason == "control_characters"
    with pytest.raises(TextError) as error:
        clean_text("ok", 99, Cleaning(min_chars=3))
    assert error.value.reason == "too_short"


def test_every_rule_can_be_switched_off():
    off = Cleaning(unicode="off", control_characters="off", mojibake=False)
    text = "e\u0301 ﬁ a\x00b\uffff ma\u00c3\u00b1ana"
    assert clean_text(text, 99, off) == text
    with pytest.raises(TextError, match=r"U\+D800"):  # no table can hold it
        clean_text("a\ud800", 99, off)


@pytest.mark.parametrize("language", PROSE)
def test_prose_does_not_repeat_itself_and_spam_does(language):
    assert repetition(PROSE[language], 40) is None
    assert repetition(PROSE[language][:60] * 40) is not None


@pytest.mark.parametrize("unit", ["buy now ", "nunua sasa ", "ซื้อเลย", "今すぐ買う", "خرید کن "])
def test_a_phrase_over_and_over_is_found_in_every_script(unit):
    assert "2-gram" in (repetition(unit * 200) or "")
    assert repetition(unit * 3) is None  # too short to be judged


def test_repeated_lines_are_found_but_not_in_a_short_list():
    lines = [f"line {i} says something of its own about the matter" for i in range(10)]
    assert "duplicate lines" in (repetition("\n".join(lines[:6] * 2 + lines), 10) or "")
    assert repetition("\n".join(["yes", "no"] * 3)) is None


def test_boilerplate_lines_go_but_never_the_whole_text():
    text = "How to bake bread\nThis site uses cookies.\nMix flour and water."
    assert without_boilerplate(text) == "How to bake bread\nMix flour and water."
    assert without_boilerplate("What is a privacy policy?\nlorem ipsum") != ""


BANNERS = {
    "ar": ("كيف أخبز؟", "اقرأ سياسة الخصوصية الخاصة بنا"),
    "bn": ("রুটি কীভাবে বানাব?", "আমাদের গোপনীয়তা নীতি পড়ুন"),
    "ha": ("Yaya ake yin burodi?", "Karanta manufar sirri tamu"),
    "hi": ("रोटी कैसे बनती है?", "यह साइट कुकीज़ का उपयोग करती है"),
    "id": ("Bagaimana membuat roti?", "Situs ini menggunakan cookie"),
    "ig": ("Kedu ka e si eme achịcha?", "Gụọ iwu nzuzo anyị"),
    "ja": ("パンの作り方は？", "当サイトはCookieを使用しています"),
    "pt": ("Como se faz pão?", "Leia a nossa Política de Privacidade"),
    "sw": ("Mkate huokwaje?", "Soma Sera ya Faragha yetu"),
    "th": ("ทำขนมปังอย่างไร", "เว็บไซต์นี้ใช้คุกกี้"),
    "yo": ("Báwo ni a ṣe ń ṣe búrẹ́dì?", "Ka ètò ìpamọ́ wa"),
    "zu": ("Senziwa kanjani isinkwa?", "Funda inqubomgomo yobumfihlo yethu"),
}


@pytest.mark.parametrize("language", BANNERS)
def test_boilerplate_is_known_in_the_target_languages(language):
    asked, banner = (unicodedata.normalize("NFC", text) for text in BANNERS[language])
    assert without_boilerplate(f"{asked}\n{banner}\n{asked}") == f"{asked}\n{asked}"
    assert without_boilerplate(f"{asked}\n{asked}") == f"{asked}\n{asked}"


def long_text(seed, words=80):
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(words))


def test_of_equal_rows_the_smallest_id_stays_whatever_the_order():
    rows = [("b", "Habari  ya leo", "Nzuri"), ("a", "habari ya LEO", "nzuri"), ("c", "x", "y")]
    expected = {"b": ("exact_duplicate", "a")}
    assert find_duplicates(rows, RULES) == find_duplicates(rows[::-1], RULES) == expected
    assert find_duplicates(rows, Cleaning(duplicates="off")) == {}


def test_near_duplicates_are_found_among_long_texts_only():
    near = Cleaning(duplicates="near")
    text = long_text(1)
    rows = [("a", text, "ok"), ("b", text + " end", "ok"), ("c", long_text(2), "ok")]
    assert find_duplicates(rows, near) == {"b": ("near_duplicate", "a")}
    assert find_duplicates(rows, RULES) == {}
    short = [("a", "Duka la Zuri liko wapi", "Mji"), ("b", "Duka la Zuri liko wapi?", "Mji")]
    assert find_duplicates(short, near) == {}


def test_near_duplicates_at_the_threshold_are_seldom_missed():
    near = Cleaning(duplicates="near", near_similarity=0.8)
    found = total = 0
    for seed in range(60):
        words = long_text(seed, 100).split()
        other = [*words[:-10], *long_text(seed + 1000, 10).split()]
        one, two = " ".join(words), " ".join(other)
        if 0.80 <= similarity(one, two) < 0.86:
            total += 1
            found += bool(find_duplicates([("a", one, ""), ("b", two, "")], near))
    assert total >= 30
    assert found / total >= 0.9


def test_rows_of_earlier_partitions_are_not_taken_again():
    near = Cleaning(duplicates="near")
    seen = Seen()
    remember([("old", long_text(1), "ok"), ("older", "Habari", "Nzuri")], near, seen)
    rows = [("a", long_text(1) + " x", "ok"), ("b", "habari", "nzuri"), ("c", "Mpya", "ok")]
    assert find_duplicates(rows, near, seen) == {
        "a": ("near_duplicate", "old"),
        "b": ("exact_duplicate", "older"),
    }
