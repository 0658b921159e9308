"""Lines of web boilerplate: what C4 takes out (Raffel et al. 2020, arXiv 1910.10683, section 2.2).

The phrases are English, as in C4; the rule is off by default, because an instruction may well be
about a cookie policy. It takes lines out and never empties a text: then the text is the topic.
"""

_PHRASES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
    "enable javascript",
    "javascript is disabled",
    "lorem ipsum",
)


def without_boilerplate(text: str) -> str:
    """The text without its boilerplate lines; unchanged where nothing would be left."""
    if "\n" not in text:
        return text
    lines = text.split("\n")
    kept = [line for line in lines if not _is_boilerplate(line)]
    if len(kept) == len(lines) or not any(line.strip() for line in kept):
        return text
    return "\n".join(kept).strip()


def _is_boilerplate(line: str) -> bool:
    folded = line.casefold()
    return any(phrase in folded for phrase in _PHRASES)
