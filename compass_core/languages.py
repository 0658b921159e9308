"""Language tags at the border: whatever a source writes becomes one BCP-47 tag, or an error."""

from functools import lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

# What sources write for a macro-language or for its standard variety: both become one tag. FLORES,
# the Aya Collection and SIB-200 name the varieties (npi, azj), most others the language (ne, az).
_STANDARD_OF = {
    "als": "sq",
    "ayr": "ay",
    "azj": "az",
    "dik": "din",
    "ekk": "et",
    "gaz": "om",
    "khk": "mn",
    "kmr": "ku",
    "knc": "kr",
    "lvs": "lv",
    "npi": "ne",
    "ory": "or",
    "pbt": "ps",
    "pbu": "ps",
    "plt": "mg",
    "uzn": "uz",
    "ydd": "yi",
    "swa": "sw",
    "swh": "sw",
    "msa": "ms",
    "zsm": "ms",
    "nor": "nb",
    "no": "nb",
    "fas": "fa",
    "pes": "fa",
    "zho": "zh",
    "cmn": "zh",
    "arb": "ar",
    "ara": "ar",
}
_PARTS_OF = {"Kore": "Hang"}  # what sources write for a script of several: kor_Hang


def standard_tag(text: str) -> str:
    """BCP-47 tag for what a source wrote (`swh_Latn`, `SWA`, `pt-br`).

    Raises ValueError where it is no known language: such text never becomes part of a path.
    """
    raw = str(text).strip()
    if not raw or len(raw) > 35 or not all(c.isalnum() or c in "-_" for c in raw):
        raise ValueError(
            f"{text!r} is no language tag; allowed are BCP-47 tags such as sw, hi, zh-Hant, pt-BR"
        )
    try:
        tag = langcodes.standardize_tag(raw.replace("_", "-"))
        language = langcodes.Language.get(tag)
    except LanguageTagError as error:
        raise ValueError(
            f"{text!r} is no language tag ({error}); allowed are BCP-47 tags"
        ) from None
    base = language.language or ""
    if not language.is_valid() or base in ("", "und", "mul", "mis", "zxx"):
        raise ValueError(
            f"{text!r} names no known language; allowed are BCP-47 tags such as sw, hi"
        )
    base = _STANDARD_OF.get(base, base)
    script = language.script
    usual = langcodes.Language.get(base).maximize().script
    if script in (usual, _PARTS_OF.get(usual or "")):
        script = None
    return langcodes.Language.make(base, script=script, territory=language.territory).to_tag()


@lru_cache(maxsize=4096)
def find_tag(text: str) -> str:
    """As standard_tag, and English names too (`Swahili`, `Standard Arabic`), as Aya writes them.

    Raises ValueError where it is neither a tag nor a name.
    """
    try:
        return standard_tag(text)
    except ValueError as error:
        if "-" in text or len(text) < 4:
            raise
        try:
            return standard_tag(langcodes.find(text).to_tag())
        except LookupError:
            raise error from None


def display_name(tag: str) -> str:
    """English name of a tag, such as `Swahili`."""
    return langcodes.Language.get(tag).display_name()
