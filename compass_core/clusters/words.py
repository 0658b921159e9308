"""Texts to words, in scripts with and without spaces between them.

Thai, Lao, Khmer, Burmese, Chinese and Japanese are cut by ICU's dictionaries; a run of characters
of a fixed length would read like nothing at all.
"""

import regex

UNSEGMENTED = {"th", "lo", "km", "my", "zh", "yue", "ja"}
# Joiners are invisible and inside words: Persian می‌خواهم, Sinhala ශ්‍රී.
_RUN = r"[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}]|[\u200c\u200d](?=[\p{L}\p{M}]))*"
_WORDS = regex.compile(_RUN)
# An apostrophe is a letter there: ng'ombe, комп'ютер, o‘zbek. In French and others it parts words.
APOSTROPHE_LANGUAGES = {
    "sw",
    "ha",
    "so",
    "om",
    "uz",
    "uk",
    "be",
    "qu",
    "ay",
    "gn",
    "haw",
    "sm",
    "to",
}
_WITH_APOSTROPHES = regex.compile(rf"{_RUN}(?:['’‘ʼʻ`]{_RUN})*")
_LETTER = regex.compile(r"\X")
_KANA_ONLY = regex.compile(r"[\p{Hiragana}ー]{1,3}")  # particles and endings, mostly


def words(text: str, language: str) -> list[str]:
    """Words of two letters or more, in lower case, no bare numbers; `language` is BCP-47.

    Vowel signs belong to their letters, so Hindi and Bengali words stay whole. Japanese words of up
    to three hiragana are left out: they are grammar far more often than content.
    """
    base = language.split("-")[0]
    runs = (_WITH_APOSTROPHES if base in APOSTROPHE_LANGUAGES else _WORDS).findall(text.lower())
    if base not in UNSEGMENTED:
        return [run for run in runs if len(run) > 1 and not run.isdigit()]
    from icu4py.breakers import WordBreaker

    found = [word for run in runs for word in WordBreaker(run, language)]
    return [
        word
        for word in found
        if len(_LETTER.findall(word)) > 1
        and not word.isdigit()
        and not (base == "ja" and _KANA_ONLY.fullmatch(word))
    ]
