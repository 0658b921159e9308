"""Where input files lie: a local folder, or a prefix of an object store that fsspec knows.

`Place` has the few things that reading needs, so that a log folder may be `data/logs` or
`s3://bucket/logs` and the code that reads it is the same.
"""

import io
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

import fsspec

BUFFER_BYTES = 1 << 20
_TIME_KEYS = ("LastModified", "last_modified", "mtime", "updated", "created")


@dataclass(frozen=True)
class FileStat:
    """`mtime_ns` is 0 where a store does not say when a file was written."""

    size_bytes: int
    mtime_ns: int


class Place:
    """A file or folder of an input, by local path or URI. Cheap to make; nothing is read."""

    def __init__(self, where: "str | Path | Place") -> None:
        text = str(where)
        self.is_local = "://" not in text or text.startswith("file://")
        self._text = text.removeprefix("file://") if self.is_local else text.rstrip("/")

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Place({self._text!r})"

    def __truediv__(self, name: str) -> "Place":
        return Place(f"{self._text.rstrip('/')}/{name}")

    @property
    def name(self) -> str:
        return self._text.rstrip("/").rsplit("/", 1)[-1]

    @property
    def local(self) -> Path:
        """The path of a local place; only called where `is_local`."""
        return Path(self._text)

    def open(self) -> IO[bytes]:
        if self.is_local:
            return self.local.open("rb")
        fs, path = self._remote()
        # fsspec's own files read whole lines only, however long one is.
        return cast(IO[bytes], io.BufferedReader(fs.open(path, "rb"), BUFFER_BYTES))

    def read_bytes(self) -> bytes:
        with self.open() as handle:
            return handle.read()

    def write_bytes(self, data: bytes) -> None:
        """Replace the file in one step, so that a reader never sees half of it."""
        if not self.is_local:
            fs, path = self._remote()
            fs.pipe_file(path, data)
            return
        self.local.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.local.with_name(f".{self.name}.tmp-{uuid.uuid4().hex[:8]}")
        try:
            temporary.write_bytes(data)
            os.replace(temporary, self.local)
        finally:
            temporary.unlink(missing_ok=True)

    def stat(self) -> FileStat:
        """Raises FileNotFoundError where there is no such file."""
        if self.is_local:
            found = self.local.stat()
            return FileStat(found.st_size, found.st_mtime_ns)
        fs, path = self._remote()
        fs.invalidate_cache()
        return _remote_stat(fs.info(path))

    def is_dir(self) -> bool:
        if self.is_local:
            return self.local.is_dir()
        fs, path = self._remote()
        return bool(fs.isdir(path))

    def is_file(self) -> bool:
        if self.is_local:
            return self.local.is_file()
        fs, path = self._remote()
        return bool(fs.isfile(path))

    def folders(self) -> list["Place"]:
        """Sub-folders, sorted by name; none where the folder is missing."""
        if not self.is_dir():
            return []
        if self.is_local:
            return [Place(path) for path in sorted(self.local.iterdir()) if path.is_dir()]
        fs, path = self._remote()
        fs.invalidate_cache()
        entries = fs.ls(path, detail=True)
        names = {str(e["name"]).rstrip("/").rsplit("/", 1)[-1] for e in entries if _is_folder(e)}
        return [self / name for name in sorted(names)]

    def leaves(self, parent: "Place") -> bool:
        """Whether a local link points out of `parent`, where it could show anything."""
        return self.is_local and not self.local.resolve().is_relative_to(parent.local.resolve())

    def walk(self) -> Iterator[tuple[str, FileStat]]:
        """(relative path, stat) of every file below; hidden folders and files are left out."""
        if self.is_local:
            yield from self._walk_local()
            return
        fs, base = self._remote()
        fs.invalidate_cache()
        if not fs.isdir(base):
            return
        cut = len(str(base).rstrip("/")) + 1
        for path, info in fs.find(base, detail=True).items():
            relative = str(path)[cut:]
            if not relative or relative.endswith("/"):
                continue  # an empty object that consoles make to show a folder
            if not any(part.startswith(".") for part in relative.split("/")):
                yield relative, _remote_stat(info)

    def _walk_local(self) -> Iterator[tuple[str, FileStat]]:
        for parent, folders, names in os.walk(self.local):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = Path(parent) / name
                if name.startswith(".") or (path.is_symlink() and Place(path).leaves(self)):
                    continue
                try:
                    stat = path.stat()
                except FileNotFoundError:
                    continue  # renamed or removed since it was listed
                relative = path.relative_to(self.local).as_posix()
                yield relative, FileStat(stat.st_size, stat.st_mtime_ns)

    def _remote(self) -> tuple[Any, str]:
        fs, path = fsspec.core.url_to_fs(self._text)
        return fs, str(path)


def _is_folder(entry: dict[str, Any]) -> bool:
    return bool(entry.get("type") == "directory")


def _remote_stat(info: dict[str, Any]) -> FileStat:
    value = next((info[key] for key in _TIME_KEYS if info.get(key) is not None), 0)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return FileStat(int(info.get("size") or 0), int(float(value) * 1e9))
