"""What a cluster is called in a picture: its title where the font can draw it, else its id."""

import unicodedata
from functools import cache

LONGEST = 26  # characters of a title


def cluster_name(cluster_id: int, title: str | None, longest: int = LONGEST) -> str:
    """`bei · mahindi · soko (10)`, or `cluster 10`. The id ties it to the tables and is unique."""
    short = shortened(title or "", longest)
    return f"{short} ({cluster_id})" if short else f"cluster {cluster_id}"


def shortened(title: str, longest: int = LONGEST) -> str:
    """A title for a picture: whole keywords as far as they fit; empty where it cannot be drawn."""
    text = " ".join(title.split())
    if not text or not drawable(text):
        return ""
    if len(text) > longest:
        whole = text[: longest + 1].rpartition(" · ")[0]
        text = whole or text[: longest - 1].rstrip() + "…"
    return text.replace("$", r"\$")  # two of them would be a formula


def drawable(text: str) -> bool:
    """Whether the plotting font has every character, and draws them as they are written.

    Scripts from right to left are left out: their letters would stand unjoined and in the wrong
    order where the drawing library was built without text shaping.
    """
    if any(unicodedata.bidirectional(c) in ("R", "AL", "AN") for c in text):
        return False
    return all(ord(c) in _glyphs() for c in text)


@cache
def _glyphs() -> frozenset[int]:
    """Characters of the font that pictures are drawn with."""
    from matplotlib import font_manager, ft2font

    path = font_manager.findfont(font_manager.FontProperties())
    return frozenset(ft2font.FT2Font(path).get_charmap())
