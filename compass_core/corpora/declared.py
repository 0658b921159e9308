"""Which language a record says that it is in."""

import re
from collections.abc import Mapping
from typing import Any

from compass_core.languages import find_tag, standard_tag

COLUMNS = ("language_code", "lang", "language")
_SCRIPT = re.compile("[A-Z][a-z]{3}")


def declared_tag(record: Mapping[str, Any]) -> str | None:
    """The tag of the first of COLUMNS that holds a known language; None where all are empty.

    Aya writes a code and a name (`zho`, `Traditional Chinese`), the Aya Collection a code and a
    `script` (`zho`, `Hant`): of one language the more exact tag counts. Raises ValueError where no
    column that is filled names a language.
    """
    tags: list[str] = []
    wrong: ValueError | None = None
    for name in COLUMNS:
        if record.get(name) in (None, ""):
            continue
        try:
            tags.append(find_tag(str(record[name])))
        except ValueError as error:
            wrong = wrong or error
    if not tags:
        if wrong is not None:
            raise wrong
        return None
    first = tags[0]
    if "-" in first:
        return first
    return next((tag for tag in tags if tag.startswith(f"{first}-")), _in_script(first, record))


def _in_script(tag: str, record: Mapping[str, Any]) -> str:
    script = record.get("script")
    if not isinstance(script, str) or not _SCRIPT.fullmatch(script):
        return tag
    try:
        return standard_tag(f"{tag}-{script}")
    except ValueError:
        return tag
