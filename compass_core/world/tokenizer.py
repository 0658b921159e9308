"""One Unigram tokenizer for all scripts, with byte fallback: any text can be encoded.

Trained on the world's own sentences; the words that carry meaning (names, answers, nouns) are
pieces of their own, so that a tiny model spends its depth on facts rather than on spelling.
"""

import json
import os
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from compass_core.world.facts import Facts
from compass_core.world.lexicon import LANGUAGES, Lexicon, lexicon

UNKNOWN = "<unk>"
SPACE = "▁"  # how Metaspace writes a blank
_BYTE_SCORE = -20.0  # a byte is the last resort
_WORD_SCORE = -7.0  # about as likely as a common trained piece, so one word beats two fragments
_PUNCTUATION = ".?!,;:।。؟،"

# Scripts that the world does not write: Greek to Arabic, the alphabets of India, Lao, Tibetan,
# Myanmar, Georgian, Ethiopic, Khmer. First and last code point of each run.
_OTHER_SCRIPTS = ((0x0370, 0x06FF), (0x0A00, 0x0DFF), (0x0E80, 0x10FF), (0x1200, 0x137F),
                  (0x1780, 0x17DF))  # fmt: skip


def other_letters() -> list[str]:
    """Letters and marks of scripts that the world does not write, one piece each.

    Without them such text would be bytes, of which the first two are the same in every letter of
    a script: all its sentences would get nearly the same vector.
    """
    points = (chr(point) for first, last in _OTHER_SCRIPTS for point in range(first, last + 1))
    return [letter for letter in points if unicodedata.category(letter)[0] in "LM"]


def whole_words(facts: Facts) -> list[str]:
    """Pieces that must be in the vocabulary: names, answer words, nouns and question words."""
    words: set[str] = set()
    for fact in facts.all():
        words |= {fact.entity, SPACE + fact.entity}
    for values in facts.shared.values():
        words |= {SPACE + value for value in values}
    for language in LANGUAGES:
        words |= {SPACE + word for text in _texts(lexicon(language)) for word in text.split()}
        if language in ("ja", "th"):  # no blanks between words, so pieces stand inside sentences
            words |= {word for text in _texts(lexicon(language)) for word in text.split()}
    return sorted(word for word in words if word.strip(SPACE + _PUNCTUATION))


def train_tokenizer(
    texts: Iterable[str], vocabulary: int, words: Sequence[str], special: Sequence[str]
) -> Any:
    """A `tokenizers.Tokenizer`: `vocabulary` trained pieces, then `words`, all bytes, `special`.

    `special` tokens get the first ids, in order, and must contain `<unk>`.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # the result must not depend on it
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary + len(special),
        special_tokens=list(special),
        unk_token=UNKNOWN,
        show_progress=False,
        max_piece_length=12,
    )
    trained.train_from_iterator(texts, trainer)
    pieces = json.loads(trained.to_str())["model"]["vocab"]
    known = {piece for piece, _ in pieces}
    count = len(special)
    entries = [(piece, 0.0) for piece in special]
    entries += [(f"<0x{byte:02X}>", _BYTE_SCORE) for byte in range(256)]
    entries += sorted((piece, round(score, 4)) for piece, score in pieces[count:])
    entries += [(word, _WORD_SCORE) for word in words if word not in known]
    tokenizer = Tokenizer(
        models.Unigram(entries, unk_id=list(special).index(UNKNOWN), byte_fallback=True)
    )
    tokenizer.pre_tokenizer = trained.pre_tokenizer
    tokenizer.decoder = decoders.Sequence(
        [decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="always")]
    )
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in special]
    )
    return tokenizer


def _texts(words: Lexicon) -> list[str]:
    """Everything that is said often in a language: all but the remarks."""
    texts = [word for group in words.values.values() for word in group]
    for topic in words.topics.values():
        texts += [*topic.kinds, *topic.asks]
    for phrasing in words.phrasings:
        for slot in ("{k}", "{n}", "{a}"):
            phrasing = phrasing.replace(slot, " ")
        texts += [part.strip(_PUNCTUATION) for part in phrasing.split()]
    return texts
