"""What identifies an encoder: its files and the settings that change a vector. No torch here."""

import hashlib
from functools import lru_cache
from pathlib import Path

from compass_core.config.schema import Embedder
from compass_core.errors import ModelError
from compass_core.hashing import version_of

WHOLE_BYTES = 1 << 28  # 256 MiB: a third of a second
STRIDE_BYTES, BLOCK_BYTES = 1 << 20, 1 << 12
MADE_BY = "python -m compass_core.world.make_models --out data/models"


def embedder_fingerprint(settings: Embedder, project_dir: Path) -> str:
    """16 hex digits: the folder's content (or the Hub id), the prefix and the cut.

    Raises ModelError, saying what to do, where a local folder is missing.
    """
    identity = model_identity(settings.model, project_dir)
    return version_of([identity, settings.prefix, settings.max_tokens])


def model_identity(model: str, project_dir: Path) -> str:
    """Content hash of a local model folder, or the Hub id itself."""
    folder = local_folder(model, project_dir)
    return folder_digest(folder) if folder else f"hub:{model}"


def local_folder(model: str, project_dir: Path) -> Path | None:
    """Folder of a local model; None for a Hub id. Raises ModelError for a folder that is missing.

    A Hub id is `name` or `owner/name`; anything else that does not exist was meant as a path.
    """
    path = Path(model).expanduser()
    folder = path if path.is_absolute() else project_dir / path
    if folder.is_dir():
        return folder
    if path.is_absolute() or model.startswith((".", "~")) or model.count("/") > 1:
        raise ModelError(
            f"model folder {model} is missing; put a model there, name a Hub id, or make the "
            f"embedded one with: {MADE_BY}"
        )
    return None


def folder_digest(folder: Path) -> str:
    """Hash over names and content of the files of a model folder.

    Of files above 256 MiB the size and 4 KiB in every MiB are read: weights of 16 GB cost a second
    or two, and no tensor above a MiB can change unseen.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    stats = tuple((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in files)
    return _digest_of(str(folder), stats)


@lru_cache(maxsize=64)
def _digest_of(folder: str, stats: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for name, size, _ in stats:
        relative = Path(name).relative_to(folder).as_posix()
        if relative in ("README.md", "MODELS.json"):
            continue
        digest.update(f"{relative}\x1f{size}\x1f".encode())
        with Path(name).open("rb") as handle:
            if size <= WHOLE_BYTES:
                digest.update(handle.read())
                continue
            for start in range(0, size, STRIDE_BYTES):
                handle.seek(start)
                digest.update(handle.read(BLOCK_BYTES))
    return digest.hexdigest()
