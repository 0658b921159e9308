"""One normal form for text, and the reasons why a text is not taken."""

import re
import unicodedata

from compass_core.config.text import Cleaning

# C0 but for tab and newline, DEL, C1, lone surrogates, non-characters. Joiners and direction marks
# stay: Hindi, Persian and Arabic are misspelt without them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_UNSTORABLE = re.compile("[\ud800-\udfff]")  # no UTF-8, so no table can hold them
_NEWLINES = re.compile("\r\n?|\x85|\u2028|\u2029")


class TextError(ValueError):
    """A text that is quarantined: `reason` is one word, the message says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def clean_text(text: str, max_chars: int, rules: Cleaning | None = None) -> str:
    """Normal form (NFC), unified newlines, no space at the ends. Raises TextError with the reason.

    `rules` adds repaired encodings, another normal form, and a least length. Control characters
    are not dropped silently unless the rules say so: they mean that something upstream is broken.
    """
    if len(text) > max_chars:
        raise TextError("too_long", f"{len(text)} characters; allowed: {max_chars}")
    if rules is not None and rules.mojibake and not text.isascii():
        text = _repaired(text)
    text = _NEWLINES.sub("\n", text)
    if rules is not None and rules.control_characters == "remove":
        text = _FORBIDDEN.sub("", text)
    kept = rules is not None and rules.control_characters == "off"
    bad = (_UNSTORABLE if kept else _FORBIDDEN).search(text)
    if bad:
        detail = f"U+{ord(bad.group()):04X} at character {bad.start()}"
        raise TextError("control_characters", detail)
    form = rules.unicode if rules is not None else "NFC"
    text = (text if form == "off" else unicodedata.normalize(form, text)).strip()
    if not text:
        raise TextError("empty_text", "nothing but white space")
    if rules is not None and len(text) < rules.min_chars:
        raise TextError("too_short", f"{len(text)} characters; allowed: {rules.min_chars} or more")
    return text


def _repaired(text: str) -> str:
    """Undo a wrong decoding where ftfy is sure of it; the rest of ftfy's changes are not wanted.

    A text that was read as Windows-1252 has C1 controls; they are part of the damage, so this comes
    before control characters are looked for.
    """
    import ftfy

    try:
        return ftfy.fix_encoding(text)
    except (UnicodeError, ValueError):  # lone surrogates: left for the control-character rule
        return text
