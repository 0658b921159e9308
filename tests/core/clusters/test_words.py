import pytest

from compass_core.clusters.words import words


def test_words_stay_whole_in_scripts_with_vowel_signs():
    assert words("किसान मक्का बेचता है।", "hi") == ["किसान", "मक्का", "बेचता", "है"]
    assert words("Bei ya mahindi, 2026!", "sw") == ["bei", "ya", "mahindi"]


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("sw", "Ng'ombe wangu, ng’ambo", ["ng'ombe", "wangu", "ng’ambo"]),
        ("uk", "Комп'ютер", ["комп'ютер"]),
        ("uz", "o‘zbek tilida", ["o‘zbek", "tilida"]),
        ("sw", "'Bei' ya 'mahindi'", ["bei", "ya", "mahindi"]),
        ("fr", "L'hôpital d’aujourd’hui", ["hôpital", "aujourd", "hui"]),
        ("fa", "می\u200cخواهم کتاب\u200cهای", ["می\u200cخواهم", "کتاب\u200cهای"]),
        ("si", "ශ්\u200dරී ලංකාවේ", ["ශ්\u200dරී", "ලංකාවේ"]),
        ("en", "maize\u200c prices", ["maize", "prices"]),
    ],
)
def test_apostrophes_and_joiners_inside_words_part_none(language, text, wanted):
    assert words(text, language) == wanted


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("th", "ราคาข้าวโพดวันนี้", {"ราคา", "ข้าวโพด"}),
        ("zh", "今天的天气怎么样", {"今天", "天气"}),
        ("zh-Hant", "請幫我設定明天的鬧鐘", {"設定", "明天", "鬧鐘"}),
        ("ja", "明日の天気を教えてください", {"明日", "天気"}),
        ("ja", "トマトの値段", {"トマト", "値段"}),
        ("lo", "ຂ້ອຍຢາກໄປຕະຫຼາດ", {"ຕະຫຼາດ"}),
        ("km", "ខ្ញុំចង់ទៅផ្សារ", {"ផ្សារ"}),
    ],
)
def test_scripts_without_spaces_are_cut_into_words(language, text, wanted):
    found = words(text, language)
    assert wanted <= set(found)
    assert len("".join(found)) <= len(text)  # a partition of the text: nothing is said twice


def test_grammar_and_single_letters_are_left_out():
    assert not {"の", "を", "です", "て"} & set(words("明日の天気を見ています。晴れです", "ja"))
    assert "的" not in words("今天的天气", "zh")
