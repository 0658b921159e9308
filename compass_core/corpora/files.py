"""Which files lie in an input folder, with digests that are cheap to keep up to date."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compass_core.languages import standard_tag

FORMATS = (".jsonl", ".jsonl.gz", ".json", ".csv", ".parquet")
UNFINISHED = (".tmp", ".part", ".crdownload", ".swp", "~")
CORRECTIONS = "_corrections.jsonl"


@dataclass(frozen=True)
class SourceFile:
    """One input file. `path` is relative to its folder; `digest` is over its bytes."""

    path: str
    size_bytes: int
    mtime_ns: int
    digest: str


def source_files(
    folder: Path, known: Mapping[str, SourceFile] | None = None, prefix: str = ""
) -> list[SourceFile]:
    """Files of known formats under a folder, sorted by path; none if the folder is missing.

    Hidden and unfinished files are left out. A digest is taken from `known` where size and time
    are unchanged, so an unchanged folder costs a listing. `prefix` is put before each path.
    """
    found = []
    for name, size_bytes, mtime_ns in list_files(folder):
        before = (known or {}).get(prefix + name)
        same = before is not None and (before.size_bytes, before.mtime_ns) == (size_bytes, mtime_ns)
        digest = before.digest if before and same else file_digest(folder / name)
        found.append(SourceFile(prefix + name, size_bytes, mtime_ns, digest))
    return found


def list_files(folder: Path) -> list[tuple[str, int, int]]:
    """(relative path, bytes, mtime in ns) of finished files of known formats, sorted."""
    root = folder.resolve()
    listed = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent) / name
            if name.startswith(".") or not name.endswith(FORMATS) or name.endswith(UNFINISHED):
                continue
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                continue  # a link that leaves the folder could show anything
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue  # renamed or removed since it was listed
            relative = path.relative_to(folder).as_posix()
            listed.append((relative, stat.st_size, stat.st_mtime_ns))
    return sorted(listed)


def file_digest(path: Path) -> str:
    """Hash of a file's bytes, read in blocks."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def find_languages(folder: Path) -> tuple[dict[str, str], list[str]]:
    """Sub-folders by standard tag, and what is wrong with the others.

    An unknown tag, two folders for one language, and a link that leaves the folder are problems:
    they are named and not read.
    """
    names: dict[str, str] = {}
    problems: list[str] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith((".", "_")) or not path.is_dir():
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            problems.append(f"{folder.name}/{path.name}: a link out of the input folder, not read")
            continue
        try:
            tag = standard_tag(path.name)
        except ValueError as error:
            problems.append(f"{folder.name}/{path.name}: {error}")
            continue
        if tag in names:
            problems.append(
                f"{folder.name}/{path.name}: {names[tag]} is {tag} too; put both into one folder"
            )
            continue
        names[tag] = path.name
    return names, problems
