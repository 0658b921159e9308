"""Which language a text really is in, noted beside the declared one. Nothing is dropped for it.

py3langid carries its model (140 languages, among them sw, ha, ig, yo, zu) in the wheel, needs no
network and is deterministic; docs/experiments/language_id.md says why it and how well it does.
It is loaded when the first text is identified (about a second), never on import.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import regex

from compass_core.config.text import LanguageId
from compass_core.corpora.chinese import TRADITIONAL, script_of_tag, script_of_text
from compass_core.languages import standard_tag

AGREES, RELATED, DISAGREES, UNSURE, UNKNOWN = (
    "agrees",
    "related",
    "disagrees",
    "unsure",
    "unknown",
)
MAX_CHARS = 400  # what is beyond hardly changes a verdict and costs time
MIN_TELLING = 2  # characters of one Chinese script only, before it is said to be the wrong one
MAX_SEGMENTS = 4  # sentences looked at for a second language
MIN_SEGMENT_LETTERS = 24
MIXED_CONFIDENCE = 0.95  # of each sentence's language before a text is called mixed
HALF_CONFIDENCE = 0.8  # of each half of a sentence: short, and English among names is less sure
RANKED = 12  # labels looked at for the near neighbours of the likeliest
MIN_SCRIPT_SHARE = 0.2
MIN_SCRIPT_LETTERS = 8
MIN_LATIN_WORDS = 3

# Languages that the identifier really confuses: two or more of a hundred sentences of one were
# called the other (docs/experiments/language_id.md; its Serbian is in Cyrillic, in Latin letters it
# is as near as Bosnian). Confusion within a group is not called a disagreement.
CONFUSED = (
    frozenset(["id", "ms"]),
    frozenset(["hr", "bs", "sr"]),
    frozenset(["nb", "nn", "no"]),
    frozenset(["ar", "ary", "arz"]),
    frozenset(["zh", "yue", "wuu"]),
    frozenset(["zu", "xh"]),
    frozenset(["tt", "ba"]),
    frozenset(["sa", "hi"]),
)
# Languages that share the probability of a text that is in one of them, told apart or not: a text
# of two languages is only said to be mixed where they are none of one group.
NEIGHBOURS = (
    frozenset(["id", "ms", "min", "jv", "su", "ban", "ace", "bjn"]),
    frozenset(["hr", "sr", "bs", "me", "sh", "cnr"]),
    frozenset(["nb", "nn", "no", "da"]),
    frozenset(["cs", "sk"]),
    frozenset(["bg", "mk"]),
    frozenset(["gl", "pt"]),
    frozenset(["es", "ast", "an", "ca", "oc", "ext"]),
    frozenset(["hi", "bho", "mai", "hne", "awa", "mag", "ne", "sa", "mr"]),
    frozenset(["ar", "ary", "arz", "aeb", "ajp", "acq", "apc", "acm"]),
    frozenset(["fa", "prs", "tg"]),
    frozenset(["zh", "yue", "wuu", "lzh"]),
    frozenset(["zu", "xh", "ss", "nr"]),
    frozenset(["st", "nso", "tn"]),
    frozenset(["rw", "rn"]),
    frozenset(["nl", "af"]),
    frozenset(["ru", "uk", "be"]),
    frozenset(["az", "tr", "tk", "crh"]),
    frozenset(["tt", "ba", "kk", "ky"]),
    frozenset(["bn", "as"]),
    frozenset(["gd", "ga"]),
    frozenset(["it", "vec", "lij", "sc", "fur"]),
)
_LETTER = regex.compile(r"\p{L}")
_LATIN_WORD = regex.compile(r"\p{Latin}[\p{Latin}\p{M}'’-]*")
_SEGMENT = regex.compile(r"(?<=[.!?।؟。！？…])\s*|\n+")


@dataclass(frozen=True)
class Identified:
    """`tag` is BCP-47 or None; `confidence` 0 to 1; `flag` is one of the constants above."""

    tag: str | None
    confidence: float
    flag: str
    mixed: bool


def identify(texts: Sequence[str], declared: str, rules: LanguageId) -> list[Identified]:
    """One verdict a text, in order. `declared`: the tag that the texts are said to be in.

    Flags: agrees; related (one that the identifier confuses with it); disagrees; unsure
    (too short or too close to call); unknown (the declared language is none of the identifier's).
    Texts that occur twice are identified once. Cost: 0.2 ms for a short question, 0.5 ms for 150
    characters; 60 MB of memory.
    """
    known: dict[str, Identified] = {}
    for text in texts:
        if text not in known:
            known[text] = _verdict(text, declared, rules)
    return [known[text] for text in texts]


def is_known(tag: str) -> bool:
    """Whether the identifier has a language, and so could confirm it."""
    return tag.split("-")[0] in _labels()


def related(one: str, other: str) -> bool:
    """Whether the identifier confuses two base languages."""
    return any(one in group and other in group for group in CONFUSED)


def _near(one: str, other: str) -> bool:
    """Whether two base languages are near neighbours, and so no mixture."""
    return any(one in group and other in group for group in NEIGHBOURS)


def _verdict(text: str, declared: str, rules: LanguageId) -> Identified:
    text = text[:MAX_CHARS]
    letters = len(_LETTER.findall(text))
    if not letters:
        return Identified(None, 0.0, UNSURE, False)
    tag, confidence = _classify(text)
    mixed = _mixed(text, letters)
    base = declared.split("-")[0]
    if tag == base:
        flag = AGREES
    elif letters < rules.min_letters or confidence < rules.min_confidence:
        flag = UNSURE
    elif not is_known(base):
        flag = UNKNOWN
    elif related(tag, base):
        flag = RELATED
    else:
        flag = DISAGREES
    found = Identified(tag, round(confidence, 4), flag, mixed)
    if base == "zh" and (tag == base or related(tag, base)):
        return _in_script(found, text, declared, rules)
    return found


def _in_script(found: Identified, text: str, declared: str, rules: LanguageId) -> Identified:
    """The verdict on Chinese text with its script: tag zh is simplified, zh-Hant traditional.

    A bare `zh` is written for both by many sources, so that traditional text is only related to it.
    """
    script = script_of_text(text)
    if script is None or script.share < rules.min_confidence:
        return found  # nothing to tell by, or quotations of the other
    tag = "zh-Hant" if script.name == TRADITIONAL else "zh"
    if script.name == script_of_tag(declared):
        return replace(found, tag=tag) if found.tag == "zh" else found
    if script.telling < MIN_TELLING or len(_LETTER.findall(text)) < rules.min_letters:
        flag = UNSURE
    else:
        flag = RELATED if declared == "zh" else DISAGREES
    return replace(found, tag=tag, confidence=round(script.share, 4), flag=flag)


def _mixed(text: str, letters: int) -> bool:
    """Latin words in text of another script (or the reverse), or sentences of two languages.

    The halves of a sentence count like sentences: many a mixture has no full stop in it. A name or
    two in Latin letters is no mixture: at least three words have to be.
    """
    latin = _LATIN_WORD.findall(text)
    latin_letters = sum(map(len, latin))
    large = max(MIN_SCRIPT_LETTERS, MIN_SCRIPT_SHARE * letters)
    if len(latin) >= MIN_LATIN_WORDS and latin_letters >= large <= letters - latin_letters:
        return True
    if letters < 2 * MIN_SEGMENT_LETTERS:
        return False
    segments = [s for s in _SEGMENT.split(text) if len(_LETTER.findall(s)) >= MIN_SEGMENT_LETTERS]
    segments = segments[:MAX_SEGMENTS]
    found = _sure(segments, MIXED_CONFIDENCE) if len(segments) > 1 else set()
    for segment in segments:
        found |= _sure(_halves(segment), HALF_CONFIDENCE)
    tags = sorted(found)
    return any(not _near(a, b) for i, a in enumerate(tags) for b in tags[i + 1 :])


def _halves(sentence: str) -> list[str]:
    """Both halves of a sentence that is long enough for each to be judged, else nothing."""
    words = sentence.split()
    if len(words) < 4 or len(_LETTER.findall(sentence)) < 2 * MIN_SEGMENT_LETTERS:
        return []
    middle = len(words) // 2
    return [" ".join(words[:middle]), " ".join(words[middle:])]


def _sure(texts: Sequence[str], least: float) -> set[str]:
    """Languages of the texts whose confidence is `least` or more.

    What near neighbours get counts for the likeliest of them: a Zulu sentence that may be Xhosa is
    no less sure to be no English one.
    """
    found = set()
    for text in texts:
        ranked = [(_tag(label), float(p)) for label, p in _model().rank(text)[:RANKED]]
        top = ranked[0][0]
        if sum(p for tag, p in ranked if tag == top or _near(tag, top)) >= least:
            found.add(top)
    return found


def _classify(text: str) -> tuple[str, float]:
    label, confidence = _model().classify(text)
    return _tag(label), float(confidence)


@cache
def _tag(label: str) -> str:
    try:
        return standard_tag(label)
    except ValueError:
        return "und"  # zxx: no language at all, such as code


@cache
def _labels() -> frozenset[str]:
    return frozenset(_tag(str(label)).split("-")[0] for label in _model().labels)


@cache
def _model() -> Any:
    from py3langid import langid

    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
