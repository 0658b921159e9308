"""Texts that repeat themselves: the repetition rules of Gopher, also for scripts without spaces.

Rae et al. 2021 (arXiv 2112.11446), table A1: shares of duplicate lines and paragraphs, of the most
frequent n-gram of 2 to 4 words, and of characters in duplicated n-grams of 5 to 10 words. Thai,
Japanese, Chinese and their like write no spaces, so there the units are characters: an n-gram of
n words becomes one of 4n characters, about what a Thai word has. The rules
were made for documents; instructions are short, so texts of fewer units are not judged, and the
line rules need at least eight lines (a list of short lines repeats some by nature).
"""

from collections import Counter

import regex

LINE_SHARE = 0.30  # of lines that are copies of earlier ones; the same for paragraphs
LINE_CHARS_SHARE = 0.20  # of characters in them
TOP_NGRAM = {2: 0.20, 3: 0.18, 4: 0.16}  # n -> share of characters in the most frequent n-gram
DUPLICATE_NGRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
MIN_LINES = 8
CHARS_A_WORD = 4
_UNSEGMENTED = regex.compile(
    r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Han}\p{Hiragana}\p{Katakana}]"
)
_LETTER = regex.compile(r"\p{L}")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_CHARACTER = regex.compile(r"\p{N}+|[\p{L}]\p{M}*")


def repetition(text: str, min_units: int = 150) -> str | None:
    """The first rule that the text breaks, with the share found and allowed; None if it is fine.

    `min_units`: fewer words (or four times as many characters without spaces) are not judged.
    Cost: a few passes over the words, about 0.1 ms for a hundred of them.
    """
    if len(text) < min_units:
        return None
    if not _UNSEGMENTED.search(text) and len(text.split()) < min_units / 2:
        return None  # far too few words, however they are counted
    units, scale = _units(text)
    if len(units) < min_units * scale:
        return None
    return _lines(text) or _ngrams(units, scale)


def unsegmented(text: str) -> bool:
    """Whether most letters are of a script that writes no spaces between words."""
    letters = len(_LETTER.findall(text))
    return letters > 0 and len(_UNSEGMENTED.findall(text)) > letters / 2


def _units(text: str) -> tuple[list[str], int]:
    if unsegmented(text):
        return _CHARACTER.findall(text.casefold()), CHARS_A_WORD
    return _WORD.findall(text.casefold()), 1


def _lines(text: str) -> str | None:
    for name, pattern in (("lines", r"\n+"), ("paragraphs", r"\n{2,}")):
        parts = [part.strip() for part in regex.split(pattern, text) if part.strip()]
        if len(parts) < MIN_LINES:
            continue
        copies = [part for part, count in Counter(parts).items() for _ in range(count - 1)]
        share = len(copies) / len(parts)
        if share > LINE_SHARE:
            return f"duplicate {name}: {share:.2f} of them; allowed: {LINE_SHARE}"
        share = sum(map(len, copies)) / sum(map(len, parts))
        if share > LINE_CHARS_SHARE:
            return f"characters in duplicate {name}: {share:.2f}; allowed: {LINE_CHARS_SHARE}"
    return None


def _ngrams(units: list[str], scale: int) -> str | None:
    total = sum(map(len, units))
    for n, allowed in TOP_NGRAM.items():
        grams = Counter(_grams(units, n * scale))
        gram, count = grams.most_common(1)[0]
        share = count * sum(map(len, gram)) / total
        if count > 1 and share > allowed:
            return f"the most frequent {n}-gram: {share:.2f} of the text; allowed: {allowed}"
    for n, allowed in DUPLICATE_NGRAMS.items():
        share = _duplicated_chars(units, n * scale) / total
        if share > allowed:
            return f"characters in duplicate {n}-grams: {share:.2f}; allowed: {allowed}"
    return None


def _grams(units: list[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(units[i:] for i in range(n)), strict=False))


def _duplicated_chars(units: list[str], n: int) -> int:
    """Characters covered by n-grams seen before, each position counted once."""
    seen: set[tuple[str, ...]] = set()
    covered_to = chars = 0
    for start, gram in enumerate(_grams(units, n)):
        if gram in seen:
            first = max(covered_to, start)
            chars += sum(map(len, units[first : start + n]))
            covered_to = start + n
        else:
            seen.add(gram)
    return chars
