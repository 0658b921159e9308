import numpy as np
import pytest

from compass_core.config.schema import Embedder, Execution
from compass_core.embeddings.encoder import Encoder
from compass_core.errors import ModelError

CPU = Execution(device="cpu", threads=1)
TEXTS = ["habari za asubuhi", "नमस्ते दुनिया", "مرحبا بالعالم", "สวัสดีชาวโลก", "おはよう", "ሰላም"]


@pytest.fixture(scope="module")
def encoder(project):
    return Encoder(Embedder(model="models/embedder"), project, CPU)


def test_vectors_are_unit_float32_in_the_order_asked(encoder):
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (6, 16)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(6), abs=1e-6)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert encoder.encode([text])[0] == pytest.approx(vector, abs=1e-6)


def test_no_text_is_no_vector(encoder):
    assert len(encoder.encode([])) == 0


def test_the_prefix_is_encoded_with_every_text(encoder, project):
    prefixed = Encoder(Embedder(model="models/embedder", prefix="query: "), project, CPU)
    assert prefixed.encode(["ሰላም"]) == pytest.approx(encoder.encode(["query: ሰላም"]), abs=1e-6)


def test_max_tokens_cuts(project):
    cut = Encoder(Embedder(model="models/embedder", max_tokens=8), project, CPU)
    text = "mji mkuu wa Kenya ni upi? " * 20
    assert cut.encode([text])[0] == pytest.approx(cut.encode([text + "Nairobi"])[0], abs=1e-6)


@pytest.mark.parametrize("bad", ["", "<|end|>"])
def test_the_first_text_without_a_vector_is_named(encoder, bad):
    with pytest.raises(ModelError, match=rf"no usable vector for '{bad.replace('|', '.')}' \(2 of"):
        encoder.encode(["habari", bad, bad])


def test_a_folder_that_holds_no_model(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "modules.json").write_text("{")
    with pytest.raises(ModelError, match=r"embedder \./empty cannot be loaded"):
        Encoder(Embedder(model="./empty"), tmp_path, CPU)
