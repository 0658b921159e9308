"""Which files lie in an input folder, with digests that are cheap to keep up to date."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compass_core.corpora.places import Place
from compass_core.languages import standard_tag

FORMATS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json", ".csv", ".parquet")
UNFINISHED = (".tmp", ".part", ".crdownload", ".swp", "~")
CORRECTIONS = "_corrections.jsonl"


@dataclass(frozen=True)
class SourceFile:
    """One input file. `path` is relative to its folder; `digest` is over its bytes.

    Where `corpora` in the project file says how to read the file, that is in the digest too: then
    a changed mapping is a changed source of just the languages that have such files.
    """

    path: str
    size_bytes: int
    mtime_ns: int
    digest: str


def source_files(
    folder: Path | Place,
    known: Mapping[str, SourceFile] | None = None,
    prefix: str = "",
    readings: Mapping[str, str] | None = None,
) -> list[SourceFile]:
    """Files of known formats under a folder, sorted by path; none if the folder is missing.

    Hidden and unfinished files are left out. A digest is taken from `known` where size and time
    are unchanged, so an unchanged folder costs a listing. `prefix` is put before each path.
    `readings`: path -> version of how the project file says that it is read.
    """
    found = []
    for name, size_bytes, mtime_ns in list_files(folder):
        before = (known or {}).get(prefix + name)
        same = before is not None and (before.size_bytes, before.mtime_ns) == (size_bytes, mtime_ns)
        taken = before.digest.split("-")[0] if before and same else ""
        digest = taken or file_digest(Place(folder) / name)
        reading = (readings or {}).get(name)
        whole = f"{digest}-{reading}" if reading else digest
        found.append(SourceFile(prefix + name, size_bytes, mtime_ns, whole))
    return found


def list_files(folder: Path | Place) -> list[tuple[str, int, int]]:
    """(relative path, bytes, mtime in ns) of finished files of known formats, sorted."""
    return sorted(
        (name, stat.size_bytes, stat.mtime_ns)
        for name, stat in Place(folder).walk()
        if name.endswith(FORMATS) and not name.endswith(UNFINISHED)
    )


def file_digest(path: Path | Place) -> str:
    """Hash of a file's bytes, read in blocks."""
    digest = hashlib.blake2b(digest_size=16)
    with Place(path).open() as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def find_languages(folder: Path | Place) -> tuple[dict[str, str], list[str]]:
    """Sub-folders by standard tag, and what is wrong with the others.

    An unknown tag, two folders for one language, and a link that leaves the folder are problems:
    they are named and not read.
    """
    root = Place(folder)
    names: dict[str, str] = {}
    problems: list[str] = []
    for path in root.folders():
        if path.name.startswith((".", "_")):
            continue
        if path.leaves(root):
            problems.append(f"{root.name}/{path.name}: a link out of the input folder, not read")
            continue
        try:
            tag = standard_tag(path.name)
        except ValueError as error:
            problems.append(f"{root.name}/{path.name}: {error}")
            continue
        if tag in names:
            problems.append(
                f"{root.name}/{path.name}: {names[tag]} is {tag} too; put both into one folder"
            )
            continue
        names[tag] = path.name
    return names, problems
