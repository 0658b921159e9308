"""Benchmark items must not be trained on: finding rows that hold one, whole, in part or inside.

Texts become tokens: a word in scripts with spaces, a character in those without. A benchmark item
is looked for as several *units*: its question, its question followed by each choice, and each
choice that is long enough to be a text of its own. Three rules, from long to short:

- a long unit is found where a row holds 70 % of its n-grams (8 words, or 16 characters of an
  unsegmented script): embedded in a longer text, or slightly edited (the rule of PaLM, 2022);
- a shorter one where a row holds it whole, as a run of tokens;
- one that is too short to mean anything inside a text, where it is a whole prompt, line or
  sentence, with or without a number before it, or what stands between commas, brackets or quotes.

Case, width and diacritics do not count: vowel points, tones and accents are left out as often as
they are written, and Greek capitals have none. Vowel signs of Indic scripts and of Thai count.

A question that several items of a suite share ("Which of these is right?") is looked for with its
choices only, a choice that several share not at all.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import regex

from compass_core.hashing import hash64
from compass_core.turns import earlier_texts

WORDS, CHARACTERS = 8, 16  # n-gram lengths: about the same amount of meaning
LEAST_WORDS, LEAST_CHARACTERS = 5, 10  # fewer are looked for as whole lines only
LEAST_IDEOGRAMS = 7  # of Chinese and Japanese, where a character says more than in Thai
LEAST_LETTERS = 20  # of a run of words; "is it in the" is no item
LINE_LETTERS, LINE_CHARACTERS = 8, 5  # of a line; a whole prompt may be shorter
PART_WORDS = 3  # of what stands between commas: one or two words are of a list
COVERED = 0.7
BATCH_ROWS = 20_000
_UNSEGMENTED = "".join(
    rf"\p{{{name}}}"
    for name in ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan")
)
_TOKEN = regex.compile(
    rf"[{_UNSEGMENTED}]"
    rf"|[[\p{{L}}\p{{N}}]--[{_UNSEGMENTED}]][[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSEGMENTED}]]*",
    regex.V1,
)
_ONE = regex.compile(rf"[{_UNSEGMENTED}]")
_IDEOGRAM = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_SENTENCES = regex.compile(r"[\n.?!;:…«»“”\"。？！；：।؟۔]+")
_PARTS = regex.compile(r"[,，、،()（）\[\]「」『』]+|\s[-–—]+\s")
_NUMBER = regex.compile(r"^\W*\d{1,3}\W+")
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def normalised(text: str) -> str:
    """Letters, marks and digits only, case and width folded.

    Spaces go as well, so that unsegmented scripts are compared like any other. A text of nothing
    but signs is kept with them, or all such texts would be the same one.
    """
    return _letters(unicodedata.normalize("NFKC", text).casefold())


def _letters(text: str) -> str:
    return text.translate(_LETTERS) or text


def _line_key(text: str) -> str:
    """As `normalised`, without diacritics too: for rows that may hold an item, not for twins."""
    return _letters(folded(text))


class _Letters(dict[int, int | None]):
    """What str.translate keeps: letters, marks and digits; filled as characters turn up."""

    def __missing__(self, code: int) -> int | None:
        self[code] = code if unicodedata.category(chr(code))[0] in "LMN" else None
        return self[code]


_LETTERS = _Letters()


def folded(text: str) -> str:
    """Without case, width, diacritics and invisible signs; Arabic letters that keyboards confuse
    (yeh and kaf of Arabic and Persian), and Turkish i with and without a dot, are one."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    if plain.isascii():
        return plain
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", plain).translate(_FOLDED))


_DIACRITICS = (
    (0x0300, 0x036F),  # of Latin, Greek and Cyrillic letters
    (0x0591, 0x05BD),  # Hebrew points
    (0x05BF, 0x05C7),
    (0x064B, 0x065F),  # Arabic vowels and hamza
    (0x06D6, 0x06ED),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
)
_INVISIBLE = (0xAD, 0x0640, 0x0670, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF)  # and tatweel
_FOLDED: dict[int, str | None] = {
    **{code: None for first, last in _DIACRITICS for code in range(first, last + 1)},
    **dict.fromkeys(_INVISIBLE),
    0x0131: "i",
    0x0643: "\u06a9",
    0x0649: "\u06cc",
    0x064A: "\u06cc",
}


def tokens(text: str) -> list[str]:
    """Words and, of scripts without spaces, characters; folded."""
    found: list[str] = _TOKEN.findall(folded(text))
    return found


def text_hashes(texts: pl.Series) -> pl.Series:
    """Column `text_hash` (UInt64) of normalised texts: what makes two rows exact duplicates."""
    plain = pl.Series("text", [normalised(text) for text in texts], dtype=pl.String)
    return pl.Series("text_hash", hash64(plain), dtype=pl.UInt64)


@dataclass(frozen=True)
class Screened:
    """`rows`: row_id, language, content_hash, text_hash; `hits`: row_id and detail."""

    rows: pl.DataFrame
    hits: pl.DataFrame


class BenchmarkIndex:
    """Every item of every suite and split of a language, ready to be looked for.

    `items`: records.BENCHMARK. Memory: eight bytes for each token of the items.
    """

    def __init__(self, items: pl.DataFrame) -> None:
        self._names: list[str] = []  # what a unit is, for the person who asks why
        self._need: list[float] = []  # share of its n-grams that a row must hold
        self._lines: dict[str, int] = {}  # folded text -> unit
        texts: list[list[str]] = []
        shared = _shared(items)
        for name, text, need in _units(items, shared):
            self._lines.setdefault(_line_key(text), len(self._names))
            self._names.append(name)
            self._need.append(need)
            texts.append(tokens(text))
        self._size = np.zeros(len(texts), dtype=np.int64)  # distinct n-grams of a unit
        self._grams = self._index(texts)

    def _index(self, texts: list[list[str]]) -> dict[int, tuple[np.ndarray, np.ndarray]]:
        """n -> sorted n-grams uint64[m] and the unit int64[m] of each."""
        flat = _hashed([token for text in texts for token in text])
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        of_length: dict[int, list[int]] = {}
        for unit, text in enumerate(texts):
            n = _length(text)
            if n is not None:
                of_length.setdefault(min(n, len(text)), []).append(unit)
        found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for n, units in of_length.items():
            rolled = _rolling(flat, n)
            parts = [np.unique(rolled[ends[u] - len(texts[u]) : ends[u] - n + 1]) for u in units]
            sizes = [len(part) for part in parts]
            self._size[units] = sizes
            hashes, owner = np.concatenate(parts), np.repeat(units, sizes)
            order = np.lexsort((owner, hashes))
            found[n] = hashes[order], owner[order]
        return found

    def screen(self, rows: pl.DataFrame, at: Callable[[int], None] = lambda done: None) -> Screened:
        """Text hashes of rows (records.TEXT), and which of them hold an item, and which item.

        `at` is told now and then how many of the rows are done.
        Cost: about 2 µs a word (0.2 ms a row of 100 words), most of it finding words.
        """
        kept = rows.select("row_id", "language", "content_hash").with_columns(
            text_hashes(rows["prompt"])
        )
        found = [pl.DataFrame(schema={"row_id": pl.String, "detail": pl.String})]
        for start in range(0, rows.height, BATCH_ROWS):
            found.append(self._hits(rows.slice(start, BATCH_ROWS)))
            at(min(start + BATCH_ROWS, rows.height))
        return Screened(kept, pl.concat(found))

    def _hits(self, rows: pl.DataFrame) -> pl.DataFrame:
        if not self._names:
            return pl.DataFrame(schema={"row_id": pl.String, "detail": pl.String})
        # What was said before the prompt is looked through as well; \n ends a line of it.
        told = rows["earlier_turns"] if "earlier_turns" in rows.columns else [None] * rows.height
        pairs = [
            (prompt, "\n".join([response, *earlier_texts(said)]))
            for (prompt, response), said in zip(
                rows.select("prompt", "response").iter_rows(), told, strict=True
            )
        ]
        best: dict[int, str] = {}
        texts = [tokens(f"{prompt}\n{response}") for prompt, response in pairs]
        flat = _hashed([token for text in texts for token in text])
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        for n, (hashes, units) in self._grams.items():
            for row, unit, share in self._covered(flat, ends, n, hashes, units):
                best.setdefault(row, f"{self._names[unit]}, {100 * share:.0f} %")
        for row, (prompt, response) in enumerate(pairs):
            if row not in best:
                whole = self._line(prompt, response)
                if whole is not None:
                    best[row] = f"{self._names[whole]}, whole"
        places = sorted(best)
        return pl.DataFrame(
            {
                "row_id": rows["row_id"].gather(places),
                "detail": pl.Series([best[p] for p in places], dtype=pl.String),
            },
            schema={"row_id": pl.String, "detail": pl.String},
        )

    def _covered(
        self, flat: np.ndarray, ends: np.ndarray, n: int, hashes: np.ndarray, units: np.ndarray
    ) -> Iterator[tuple[int, int, float]]:
        """(row, unit, share of the unit's n-grams that the row holds) from COVERED upwards."""
        if len(flat) < n:
            return
        rolled = _rolling(flat, n)
        first = np.searchsorted(hashes, rolled)
        at = np.flatnonzero(hashes[np.minimum(first, len(hashes) - 1)] == rolled)
        row = np.searchsorted(ends, at, side="right")
        at, row = at[at + n <= ends[row]], row[at + n <= ends[row]]
        seen: set[tuple[int, int]] = set()
        counts: Counter[tuple[int, int]] = Counter()
        for place, r in zip(at, row, strict=True):
            slot = int(first[place])
            if (int(r), slot) in seen:
                continue
            seen.add((int(r), slot))
            stop = np.searchsorted(hashes, rolled[place], side="right")
            counts.update((int(r), int(unit)) for unit in units[slot:stop])
        for (r, unit), count in sorted(counts.items()):
            share = count / self._size[unit]
            if share >= self._need[unit]:
                yield r, unit, share

    def _line(self, prompt: str, response: str) -> int | None:
        """Unit that is the whole prompt, prompt and response, or a line or sentence of either."""
        for text in (prompt, f"{prompt} {response}"):
            if (unit := self._lines.get(_line_key(text))) is not None:
                return unit
        for line in _SENTENCES.split(f"{prompt}\n{response}"):
            for part, is_line in _with_parts(line):
                plain = _line_key(part)
                if (unit := self._lines.get(plain)) is not None and _says(part, plain, is_line):
                    return unit
        return None


def _with_parts(line: str) -> Iterator[tuple[str, bool]]:
    """A line or sentence, and its parts between commas; all without a number before them too."""
    parts = _PARTS.split(line)
    for part in (line, *(parts if len(parts) > 1 else ())):
        yield part, part is line
        bare = _NUMBER.sub("", part)
        if bare != part:
            yield bare, part is line


def _says(text: str, plain: str, is_line: bool) -> bool:
    """Whether a line, or a part of one, is long enough for its likeness to be no chance."""
    parts = tokens(text)
    if _is_unsegmented(parts):
        return len(plain) >= LINE_CHARACTERS
    return len(plain) >= LINE_LETTERS and (is_line or len(parts) >= PART_WORDS)


def _shared(items: pl.DataFrame) -> set[str]:
    """Folded texts that several items of one suite have in common: they say nothing of one.

    An item that stands in two suites, or in a suite and in a copy of it, is still one item.
    """
    counts: Counter[tuple[str, str]] = Counter()
    seen = set()
    for suite, question, choices in items.select("suite", "question", "choices").iter_rows():
        asked, answers = _line_key(question), frozenset(map(_line_key, choices))
        if (suite, asked, answers) not in seen:
            seen.add((suite, asked, answers))
            counts.update((suite, text) for text in (asked, *answers))
    return {text for (_suite, text), count in counts.items() if count > 1}


def _units(items: pl.DataFrame, shared: set[str]) -> Iterator[tuple[str, str, float]]:
    """Name, text and needed share of everything that is looked for."""
    wanted = items.select("suite", "split", "item_id", "question", "choices")
    for suite, split, item_id, question, choices in wanted.iter_rows():
        label = f"{suite} {split} {item_id}"
        own = _line_key(question) not in shared
        if own:
            yield f"{label}: question", question, COVERED
        for choice in choices:
            joined = f"{question} {choice}"
            yield f"{label}: question with choice", joined, COVERED if own else 1.0
            if _line_key(choice) not in shared and _is_long(choice):
                yield f"{label}: choice", choice, COVERED


def _is_long(choice: str) -> bool:
    """Whether a choice is a text of its own; "Nairobi" answers many things."""
    parts = tokens(choice)
    n = _length(parts)
    return n is not None and len(parts) >= n


def _length(parts: list[str]) -> int | None:
    """n of the n-grams that a unit is looked for by; None: as a whole line only."""
    if _is_unsegmented(parts):
        ideograms = sum(1 for part in parts if _IDEOGRAM.match(part))
        least = LEAST_IDEOGRAMS if 2 * ideograms > len(parts) else LEAST_CHARACTERS
        return CHARACTERS if len(parts) >= least else None
    letters = sum(map(len, parts))
    return WORDS if len(parts) >= LEAST_WORDS and letters >= LEAST_LETTERS else None


def _is_unsegmented(parts: list[str]) -> bool:
    return 2 * sum(1 for part in parts if _ONE.match(part)) > len(parts)


def _hashed(parts: Sequence[str]) -> np.ndarray:
    return hash64(pl.Series("token", parts, dtype=pl.String))


def _rolling(hashes: np.ndarray, n: int) -> np.ndarray:
    """Hash uint64[m - n + 1] of each run of n tokens."""
    count = len(hashes) - n + 1
    rolled = np.zeros(max(0, count), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for place in range(n if count > 0 else 0):
            rolled = rolled * _MULTIPLIER + hashes[place : place + count]
    return rolled
