"""Which files lie in an input folder, with digests that are cheap to keep up to date."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compass_core.corpora.formats import ALLOWED, is_listed, is_meant_as_data
from compass_core.corpora.places import FileStat, Place
from compass_core.corpora.readers import storable
from compass_core.languages import standard_tag

SHOWN = 3  # files named in a problem
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
    bare: bool = False,
) -> list[SourceFile]:
    """Files of known formats under a folder, sorted by path; none if the folder is missing.

    Hidden and unfinished files are left out. A digest is taken from `known` where size and time
    are unchanged, so an unchanged folder costs a listing. `prefix` is put before each path.
    `readings`: path -> version of how the project file says that it is read. `bare`: as list_files.
    """
    found = []
    for name, size_bytes, mtime_ns in list_files(folder, bare):
        before = (known or {}).get(prefix + name)
        same = before is not None and (before.size_bytes, before.mtime_ns) == (size_bytes, mtime_ns)
        taken = before.digest.split("-")[0] if before and same else ""
        digest = taken or file_digest(Place(folder) / name)
        reading = (readings or {}).get(name)
        whole = f"{digest}-{reading}" if reading else digest
        found.append(SourceFile(prefix + name, size_bytes, mtime_ns, whole))
    return found


def list_files(folder: Path | Place, bare: bool = False) -> list[tuple[str, int, int]]:
    """(relative path, bytes, mtime in ns) of finished files of known formats, sorted.

    `bare`: files whose names have no ending too, as object-store loggers write them.
    """
    return listed_and_not(folder, bare)[0]


def listed_and_not(
    folder: Path | Place, bare: bool = False
) -> tuple[list[tuple[str, int, int]], list[str]]:
    """As list_files, and problems (one, or none) that name the files that nothing reads."""
    place = Place(folder)
    listed: list[tuple[str, FileStat]] = []
    strange: list[str] = []
    misnamed: list[str] = []
    for name, stat in place.walk():
        if name != storable(name):
            misnamed.append(storable(name))
        elif is_listed(name, bare):
            listed.append((name, stat))
        elif is_meant_as_data(name):
            strange.append(name)
    files = sorted((name, stat.size_bytes, stat.mtime_ns) for name, stat in listed)
    where = "/".join(str(place).rstrip("/").split("/")[-2:])
    problems = []
    for names, allowed in ((strange, ALLOWED), (misnamed, "names in UTF-8; rename them")):
        if names:
            shown = ", ".join(sorted(names)[:SHOWN]) + (", …" if len(names) > SHOWN else "")
            problems.append(
                f"{where}: {len(names)} files are not read ({shown}); allowed: {allowed}"
            )
    return files, problems


def not_read(folder: Path | Place, bare: bool = False) -> list[str]:
    """Problems (mostly one, or none) that name the files under a folder that nothing reads."""
    return listed_and_not(folder, bare)[1]


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
            problems.append(storable(f"{root.name}/{path.name}: {error}"))
            continue
        if tag in names:
            problems.append(
                f"{root.name}/{path.name}: {path.name} is {tag} too; put both into one folder"
            )
            continue
        names[tag] = path.name
    return names, problems
