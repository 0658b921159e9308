import os
import subprocess
import sys

import pytest

from compass_core.config.schema import Embedder
from compass_core.embeddings import fingerprint as module
from compass_core.embeddings.fingerprint import embedder_fingerprint, folder_digest
from compass_core.errors import ModelError


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "models" / "mini"
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(bytes(range(256)))
    (path / "tokenizer.json").write_text('{"a": 1}')
    return path


def test_sixteen_hex_digits_that_follow_content_and_not_place(folder, tmp_path):
    here = embedder_fingerprint(Embedder(model="./models/mini"), tmp_path)
    assert len(here) == 16
    assert int(here, 16) >= 0
    folder.rename(tmp_path / "models" / "moved")
    assert embedder_fingerprint(Embedder(model="./models/moved"), tmp_path) == here


@pytest.mark.parametrize(
    "settings",
    [
        Embedder(model="./models/mini", prefix="query: "),
        Embedder(model="./models/mini", max_tokens=64),
    ],
)
def test_what_changes_a_vector_changes_the_fingerprint(folder, tmp_path, settings):
    plain = Embedder(model="./models/mini")
    assert embedder_fingerprint(settings, tmp_path) != embedder_fingerprint(plain, tmp_path)


def test_the_batch_size_does_not_count(folder, tmp_path):
    few, many = (Embedder(model="./models/mini", batch_size=n) for n in (8, 64))
    assert embedder_fingerprint(few, tmp_path) == embedder_fingerprint(many, tmp_path)


def test_one_other_byte_of_the_weights_is_seen(folder):
    before = folder_digest(folder)
    changed = bytearray(range(256))
    changed[100] ^= 1
    weights = folder / "model.safetensors"
    weights.write_bytes(bytes(changed))
    os.utime(weights, ns=(1, 1))
    assert folder_digest(folder) != before


def test_a_model_card_is_not_part_of_the_model(folder):
    before = folder_digest(folder)
    (folder / "README.md").write_text("kadi")
    assert folder_digest(folder) == before


def test_of_large_files_every_stride_is_read(folder, monkeypatch):
    monkeypatch.setattr(module, "WHOLE_BYTES", 100)
    monkeypatch.setattr(module, "STRIDE_BYTES", 64)
    monkeypatch.setattr(module, "BLOCK_BYTES", 8)
    found = set()
    for i, place in enumerate((None, 0, 67, 255 - 63)):
        data = bytearray(range(256))
        if place is not None:
            data[place] ^= 1
        (folder / "model.safetensors").write_bytes(bytes(data))
        os.utime(folder / "model.safetensors", ns=(i, i))
        found.add(folder_digest(folder))
    assert len(found) == 4


def test_a_hub_id_stands_for_itself(tmp_path):
    one = embedder_fingerprint(Embedder(model="intfloat/multilingual-e5-large"), tmp_path)
    two = embedder_fingerprint(Embedder(model="intfloat/multilingual-e5-small"), tmp_path)
    assert one != two


@pytest.mark.parametrize("model", ["data/models/embedder", "./none", "/no/such/folder"])
def test_a_missing_folder_says_what_to_do(tmp_path, model):
    with pytest.raises(ModelError, match=r"is missing.*python -m compass_core\.world\.make_models"):
        embedder_fingerprint(Embedder(model=model), tmp_path)


def test_it_needs_no_torch(folder, tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from compass_core.config.schema import BaseModelSettings, Embedder\n"
        "from compass_core.embeddings.fingerprint import embedder_fingerprint\n"
        "from compass_core.adapters.model_folder import base_fingerprint\n"
        "from compass_core.adapters.tokens import supervised_tokens\n"
        "import compass_core.benchmarks.score, compass_core.adapters.train\n"
        "import compass_core.embeddings.vector_store\n"
        "embedder_fingerprint(Embedder(model='./models/mini'), Path(sys.argv[1]))\n"
        "base_fingerprint(BaseModelSettings(model='./models/mini'), Path(sys.argv[1]))\n"
        "print([m for m in ('torch', 'transformers', 'peft', 'lancedb') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
