"""The store: one root (a local path or an object-store URI), atomic writes, Parquet and JSON.

A local write goes to a temporary name beside the target and is renamed, so a reader or a killed
run never sees half a file; an object store's put is atomic by itself.
"""

import io
import json
import os
import shutil
import tempfile
import uuid
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
import polars as pl

from compass_core.errors import StoreError


class Store:
    """Files under one root. Keys are relative POSIX paths such as `gaps/sw.parquet`.

    `root` is a local path or any URI that fsspec knows (`s3://bucket/prefix`, `memory://x`);
    `cache` is the local folder where folders of a remote store are downloaded to be opened.
    """

    def __init__(self, root: str | Path, cache: Path | None = None) -> None:
        text = str(root)
        self.is_local = "://" not in text or text.startswith("file://")
        if self.is_local:
            text = str(Path(text.removeprefix("file://")).resolve())
        self.root = text.rstrip("/")
        # A remembered listing would hide what another process has written since.
        options = {} if self.is_local else {"use_listings_cache": False}
        self._fs, self._base = fsspec.core.url_to_fs(self.root, **options)
        self.cache = cache or Path(tempfile.gettempdir()) / "compass-cache"

    def __repr__(self) -> str:
        return f"Store({self.root!r})"

    def uri(self, key: str) -> str:
        """Full path or URI of a key, as Polars, LanceDB and DuckDB take it."""
        return f"{self.root}/{self._checked(key)}"

    def local_path(self, key: str) -> Path:
        """Path of a key in a local store. Raises StoreError on a remote one."""
        if not self.is_local:
            raise StoreError(f"store {self.root} is not local, {key} has no path; use fetch_dir")
        return Path(self.root) / self._checked(key)

    def exists(self, key: str) -> bool:
        return bool(self._fs.exists(self._full(key)))

    def keys(self, prefix: str, suffix: str = "") -> list[str]:
        """Keys under a folder, recursively, sorted; temporary files are left out."""
        full = self._full(prefix)
        if not self._fs.exists(full):
            return []
        found = [str(name) for name in self._fs.find(full)]
        cut = len(str(self._base).rstrip("/")) + 1
        keys = [name[cut:] for name in found]
        return sorted(k for k in keys if k.endswith(suffix) and ".tmp-" not in k)

    def stamps(self, prefix: str, suffix: str = "") -> dict[str, str]:
        """Keys as of `keys`, each with something that changes when the file does."""
        full = self._full(prefix)
        if not self._fs.exists(full):
            return {}
        cut = len(str(self._base).rstrip("/")) + 1
        named = ("ETag", "etag", "mtime", "LastModified", "created", "size")
        return {
            str(path)[cut:]: " ".join(str(info[name]) for name in named if name in info)
            for path, info in sorted(self._fs.find(full, detail=True).items())
            if str(path).endswith(suffix) and ".tmp-" not in str(path)
        }

    def delete(self, key: str) -> None:
        """Remove a file or folder; nothing happens if it is not there."""
        if self.exists(key):
            self._fs.rm(self._full(key), recursive=True)

    def write_bytes(self, key: str, data: bytes) -> None:
        if not self.is_local:
            self._fs.pipe_file(self._full(key), data)
            return
        target = self.local_path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.tmp-{uuid.uuid4().hex[:8]}")
        try:
            temporary.write_bytes(data)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def read_bytes(self, key: str) -> bytes:
        try:
            return bytes(self._fs.cat_file(self._full(key)))
        except FileNotFoundError as error:
            raise StoreError(f"{self.uri(key)} is not in the store yet") from error

    def write_json(self, key: str, value: Any) -> None:
        text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
        self.write_bytes(key, text.encode())

    def read_json(self, key: str) -> Any:
        return json.loads(self.read_bytes(key))

    def read_json_or_none(self, key: str) -> Any | None:
        """As read_json, but None where the key is absent."""
        try:
            return json.loads(self._fs.cat_file(self._full(key)))
        except FileNotFoundError:
            return None

    def write_parquet(self, key: str, frame: pl.DataFrame) -> int:
        """Write a frame, return its size in bytes."""
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd", statistics=True)
        data = buffer.getvalue()
        self.write_bytes(key, data)
        return len(data)

    def read_parquet(self, key: str, columns: list[str] | None = None) -> pl.DataFrame:
        return pl.read_parquet(io.BytesIO(self.read_bytes(key)), columns=columns)

    def publish_dir(self, source: Path, key: str) -> None:
        """Move a finished local folder into the store in one step; the target must be new."""
        if self.exists(key):
            raise StoreError(f"{self.uri(key)} exists already and versions are immutable")
        if not self.is_local:
            self._fs.put(str(source), self._full(key), recursive=True)
            shutil.rmtree(source)
            return
        target = self.local_path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.tmp-{uuid.uuid4().hex[:8]}")
        shutil.move(str(source), temporary)  # may cross file systems, so not the final name yet
        os.replace(temporary, target)

    def fetch_dir(self, key: str) -> Path:
        """Local folder with a key's content: itself when local, else a download (kept)."""
        if self.is_local:
            path = self.local_path(key)
            if not path.is_dir():
                raise StoreError(f"{path} is not a folder in the store")
            return path
        target = self.cache / key
        if not target.exists():
            temporary = target.with_name(f"{target.name}.tmp-{uuid.uuid4().hex[:8]}")
            temporary.parent.mkdir(parents=True, exist_ok=True)
            self._fs.get(self._full(key).rstrip("/") + "/", str(temporary) + "/", recursive=True)
            os.replace(temporary, target)
        return target

    def scratch_dir(self, label: str) -> Path:
        """A new empty local folder to build something in before publish_dir."""
        parent = Path(self.root) / "tmp" if self.is_local else self.cache / "tmp"
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f"{label}-", dir=parent))

    def _full(self, key: str) -> str:
        return f"{str(self._base).rstrip('/')}/{self._checked(key)}"

    @staticmethod
    def _checked(key: str) -> str:
        path = PurePosixPath(key)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise StoreError(f"{key!r} is no store key: relative, without '..', is what is allowed")
        return str(path)
