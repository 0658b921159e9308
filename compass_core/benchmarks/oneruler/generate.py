"""Rows of the long-context tasks: made from a haystack, or read as they were published."""

import json
import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from compass_core.benchmarks.oneruler.prompts import UNSPACED, Prompts, prompts_of, prompts_tag
from compass_core.errors import InputError

# keys in the text, values a key, keys asked for, whether they are there
NEEDLES = {
    "niah_single": (1, 1, 1, True),
    "niah_multikey": (4, 1, 1, True),
    "niah_multivalue": (1, 4, 1, True),
    "niah_multiquery": (2, 1, 2, True),
    "niah_none": (4, 1, 1, False),
}
# how often each of the ten words occurs, and how often every other
WORDS = {"cwe_easy": (30, 3), "cwe": (20, 10)}
VARIANTS = (*NEEDLES, *WORDS)
TEN = 10
FULL = 0.9  # of the tokens asked for; a context that is shorter is not one of that length
Count = Callable[[str], int]


def make_row(
    variant: str,
    language: str,
    haystack: Sequence[str],
    words: Sequence[str],
    tokens: int,
    count: Count,
    seed: int,
    index: int,
    room: int = 0,
) -> dict[str, Any]:
    """One row `index, input, outputs, length` of `tokens` tokens, as `count` counts them.

    The last `room` of the tokens are left to the answer, as OneRuler's lengths are meant. The same
    seed and index give the same keys, numbers and places, whatever the model. Raises InputError
    where the context is too short for the task, or the words too few.
    """
    draw = random.Random(f"{seed}/{language}/{variant}/{tokens}/{index}")
    say = prompts_of(language)
    tokens -= room
    if variant in NEEDLES:
        text, outputs = _needles(variant, language, say, haystack, tokens, count, draw)
    else:
        text, outputs = _words(variant, language, say, words, tokens, count, draw)
    return {"index": index, "input": text, "outputs": outputs, "length": count(text)}


def _needles(
    variant: str,
    language: str,
    say: Prompts,
    haystack: Sequence[str],
    tokens: int,
    count: Count,
    draw: random.Random,
) -> tuple[str, list[str]]:
    keys, values, asked, present = NEEDLES[variant]
    names = draw.sample(say.nouns, keys + 1)
    numbers = draw.sample(range(1_000_000, 10_000_000), keys * values)
    of = {name: numbers[i * values : (i + 1) * values] for i, name in enumerate(names[:keys])}
    needles = [
        say.needle.format(key=name, value=value) for name, found in of.items() for value in found
    ]
    wanted = draw.sample(names[:keys], asked) if present else names[keys:]
    question = say.one.format(a=wanted[0])
    if asked == 2:
        question = say.two.format(a=wanted[0], b=wanted[1])
    glue = "" if language.split("-")[0] in UNSPACED else " "
    places = [draw.random() for _ in needles]
    start = draw.randrange(len(haystack))

    def whole(sentences: int) -> str:
        chosen = [haystack[(start + i) % len(haystack)] for i in range(sentences)]
        for place, needle in sorted(zip(places, needles, strict=True), reverse=True):
            chosen.insert(int(place * (sentences + 1)), needle)
        return "\n\n".join(
            [
                say.read,
                f"<text>\n{glue.join(chosen)}\n</text>",
                f"{question}{glue}{say.all_or_none}",
                f"{say.form} <answer> … </answer>",
            ]
        )

    size = _largest(lambda n: count(whole(n)) <= tokens)
    if size < len(needles):
        raise InputError(f"{variant}: {tokens} tokens are too few in {language}; use more")
    outputs = [str(v) for name in wanted for v in of[name]] if present else [say.none]
    return whole(size), outputs


def _words(
    variant: str,
    language: str,
    say: Prompts,
    words: Sequence[str],
    tokens: int,
    count: Count,
    draw: random.Random,
) -> tuple[str, list[str]]:
    often, seldom = WORDS[variant]
    order = draw.sample(list(words), len(words))
    seed = draw.random()

    def whole(others: int) -> str:
        listed = order[:TEN] * often + order[TEN : TEN + others] * seldom
        random.Random(seed).shuffle(listed)
        shown = " ".join(f"{i + 1}. {word}" for i, word in enumerate(listed))
        return "\n\n".join(
            [say.words, f"<list>\n{shown}\n</list>", say.ten, f"{say.form} <answer> … </answer>"]
        )

    if len(order) <= TEN or count(whole(1)) > tokens:
        raise InputError(
            f"{variant}: {len(order)} words and {tokens} tokens are too few; the ten frequent "
            f"words alone occur {often} times each"
        )
    others = len(order) - TEN
    size = _largest(lambda n: count(whole(n)) <= tokens, others)
    text = whole(size)
    # How often a word occurs is what the task is, so a list is made longer by other words only.
    if size == others and (made := count(text)) < FULL * tokens:
        frequent = count(whole(0))
        needed = TEN + others * (tokens - frequent) // (made - frequent)
        raise InputError(
            f"{variant}: {len(order)} words in {language} make {made:,} of {tokens:,} tokens; more "
            f"words are needed, about {needed:,}: put them, one a line, into "
            f"{language}.words.txt in the suite's `data` folder, or use shorter lengths"
        )
    return text, order[:TEN]


def _largest(fits: Callable[[int], bool], most: int | None = None) -> int:
    """The largest n, at most `most`, that fits; 0 where none does.

    `fits` must fall from true to false once; without `most` it must do so somewhere.
    """
    high = 1
    while (most is None or high <= most) and fits(high):
        high *= 2
    low = high // 2
    high = high if most is None else min(high, most + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def placed(folder: Path | None, language: str, ending: str = "") -> Path | None:
    """What lies in `folder` for a language: under its tag, else under the prompts' (no for nb)."""
    if folder is None:
        return None
    found = (
        folder / f"{name}{ending}" for name in dict.fromkeys([language, prompts_tag(language)])
    )
    return next((path for path in found if path.exists()), None)


def haystack_of(language: str, folder: Path | None) -> list[str]:
    """Sentences to hide needles in: <folder>/<language>.txt, else the sample world's.

    Raises InputError, saying where to put a text, for a language that has neither.
    """
    path = placed(folder, language, ".txt")
    if path is not None:
        text = unicodedata.normalize("NFC", path.read_text(encoding="utf-8"))
        parts = re.split(r"(?<=[.!?।…])\s+|(?<=[。!?])|\n+", text)
        found = [part.strip() for part in parts if part and part.strip()]
        if not found:
            raise InputError(f"{path}: received an empty file; it has to be a text in {language}")
        return found
    return world_sentences(language)


def world_sentences(language: str) -> list[str]:
    """Every question of the sample world with its remarks, in a seeded order."""
    from compass_core.world import plan
    from compass_core.world.facts import make_facts
    from compass_core.world.lexicon import LANGUAGES
    from compass_core.world.texts import Wording, question

    if language not in LANGUAGES:
        raise InputError(
            f"oneruler: no text in {language}; put one into the suite's `data` folder as "
            f"{language}.txt"
        )
    facts = make_facts(plan.SEED)
    found = {
        question(language, fact, Wording(phrasing, 0, remark))
        for fact in facts.all()
        for phrasing in range(6)
        for remark in range(3)
    }
    ordered = sorted(found)
    random.Random(plan.SEED).shuffle(ordered)
    return ordered


def words_of(language: str, folder: Path | None, haystack: Sequence[str]) -> list[str]:
    """Words to count: <folder>/<language>.words.txt (one a line), else those of the haystack."""
    path = placed(folder, language, ".words.txt")
    if path is not None:
        given = path.read_text(encoding="utf-8").split("\n")
        return sorted({word.strip() for word in given if word.strip()})
    if language.split("-")[0] in UNSPACED:
        raise InputError(
            f"oneruler: cwe in {language} needs a list of words, one a line, as "
            f"{language}.words.txt in the suite's `data` folder"
        )
    from compass_core.clusters.words import words

    # Not \w of `re`: it ends at every vowel sign, and Hindi or Tamil would be counted in splinters.
    found = {word for text in haystack for word in words(text, language)}
    return sorted(word for word in found if len(word) > 2 and not re.search(r"\d", word))


def published_rows(folder: Path | None, language: str, variant: str) -> list[dict[str, Any]]:
    """Rows of JSONL files under <folder>/<language> whose path names the variant; may be none."""
    root = placed(folder, language)
    if root is None or not root.is_dir():
        return []
    rows = []
    for path in sorted(root.rglob("*.jsonl")):
        if variant not in (path.stem, *(p.name for p in path.parents)):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            if not {"index", "input", "outputs", "length"} <= set(row):
                raise InputError(
                    f"{path}:{number}: received {', '.join(sorted(row))}; a row has index, "
                    "input, outputs, length"
                )
            rows.append({**row, "file": path.relative_to(root).as_posix()})
    return rows
