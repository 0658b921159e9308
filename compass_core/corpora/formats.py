"""Which formats of input files are read, told by the ending of a name, in capitals or not."""

from typing import Literal

Format = Literal["jsonl", "json", "csv", "parquet"]

_PLAIN: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".parquet": "parquet",
}
_PACKINGS = (".gz", ".zst")
ENDINGS: dict[str, Format] = {
    **_PLAIN,
    **{e + packing: f for e, f in _PLAIN.items() if f == "jsonl" for packing in _PACKINGS},
}
ALLOWED = " ".join(ENDINGS)
_UNFINISHED = (".tmp", ".part", ".crdownload", ".swp", "~")
_NOT_DATA = ("readme", "license", "licence", "_")  # how names of what nobody means to be read begin


def format_of(name: str) -> Format | None:
    """The format of a file by its name (with or without folders), or None.

    A name without an ending is taken for JSON, as LiteLLM's object-store loggers write it; whether
    such files are looked at is for the caller to say.
    """
    last = name.rsplit("/", 1)[-1].lower()
    if "." not in last:
        return "json"
    ending = _ending(last)
    return ENDINGS[ending] if ending else None


def packing_of(name: str) -> str:
    """`.gz` or `.zst` where the file is compressed, else empty."""
    return next((packing for packing in _PACKINGS if name.lower().endswith(packing)), "")


def is_listed(name: str, bare: bool) -> bool:
    """Whether a file is input. `bare`: files without an ending are too (in log folders)."""
    last = name.rsplit("/", 1)[-1].lower()
    if "." not in last and (not bare or last.startswith(_NOT_DATA)):
        return False
    return format_of(name) is not None and not is_unfinished(name)


def is_unfinished(name: str) -> bool:
    """Whether the name says that the file is still written."""
    return name.lower().endswith(_UNFINISHED)


def is_meant_as_data(name: str) -> bool:
    """Whether somebody may expect the file to be read: no README, licence or marker."""
    return not is_unfinished(name) and not name.rsplit("/", 1)[-1].lower().startswith(_NOT_DATA)


def _ending(lower: str) -> str:
    return next((e for e in sorted(ENDINGS, key=len, reverse=True) if lower.endswith(e)), "")
