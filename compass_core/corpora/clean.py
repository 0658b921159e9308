"""One normal form for text, and the reasons why a text is not taken."""

import re
import unicodedata

# C0 but for tab and newline, DEL, C1, lone surrogates, non-characters. Joiners and direction marks
# stay: Hindi, Persian and Arabic are misspelt without them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_NEWLINES = re.compile("\r\n?|\x85|\u2028|\u2029")


class TextError(ValueError):
    """A text that is quarantined: `reason` is one word, the message says what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def clean_text(text: str, max_chars: int) -> str:
    """NFC, unified newlines, no space at the ends. Raises TextError with the reason.

    Control characters are not dropped silently: they mean that something upstream is broken.
    """
    if len(text) > max_chars:
        raise TextError("too_long", f"{len(text)} characters; allowed: {max_chars}")
    text = _NEWLINES.sub("\n", text)
    bad = _FORBIDDEN.search(text)
    if bad:
        detail = f"U+{ord(bad.group()):04X} at character {bad.start()}"
        raise TextError("control_characters", detail)
    text = unicodedata.normalize("NFC", text).strip()
    if not text:
        raise TextError("empty_text", "nothing but white space")
    return text
