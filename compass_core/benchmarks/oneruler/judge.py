"""Whether an answer is right: numbers as a set, the word for none, ten words."""

import re
import unicodedata

import regex

from compass_core.benchmarks.oneruler.prompts import PROMPTS, prompts_tag

ANSWER = re.compile(r"<answer>(.*?)</answer>", re.IGNORECASE | re.DOTALL)
JOINED = ("zh", "ja", "ko")  # a word is not set apart from what follows it
NUMBER = re.compile(r"\d{2,}")  # single digits number a list, and no needle has one


def extracted(response: str) -> str | None:
    """What stands between the answer tags, or the whole; None where there is nothing."""
    found = ANSWER.search(response)
    text = unicodedata.normalize("NFKC", found.group(1) if found else response).strip()
    return text or None


def is_right(variant: str, outputs: list[str], response: str, language: str) -> bool:
    """Judge one response. For numbers every one and no other; never both numbers and none."""
    text = extracted(response)
    if text is None:
        return False
    numbers = {int(n) for n in NUMBER.findall(text)}
    if variant == "niah_none":
        return not numbers and any(_folded(word) in _folded(text) for word in outputs)
    if variant.startswith("cwe"):
        said = _folded(text, keep_space=True)
        return all(_folded(word, keep_space=True) in said for word in outputs)
    wanted = {int(unicodedata.normalize("NFKC", value)) for value in outputs}
    return numbers == wanted and not _denies(text, language)


def _denies(text: str, language: str) -> bool:
    """Whether it says the language's word for none; as part of another word it says nothing."""
    say = PROMPTS.get(prompts_tag(language))
    if say is None:
        return False
    word = regex.escape(_folded(say.none, keep_space=True))
    if prompts_tag(language) not in JOINED:
        word = rf"(?<![\p{{L}}\p{{M}}]){word}(?![\p{{L}}\p{{M}}])"
    return regex.search(word, _folded(text, keep_space=True)) is not None


def _folded(text: str, keep_space: bool = False) -> str:
    text = unicodedata.normalize("NFKC", text).casefold().replace("\u200c", "").strip()
    return text if keep_space else re.sub(r"\s+", "", text)
