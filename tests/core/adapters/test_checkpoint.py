import pytest
import torch

from compass_core.adapters.checkpoint import NAME, load_checkpoint, save_checkpoint


def test_only_the_same_training_resumes(tmp_path):
    save_checkpoint(tmp_path / "ck", "abc", {"step": 3, "weights": {"w": torch.ones(2)}})
    assert load_checkpoint(tmp_path / "ck", "abc")["step"] == 3
    assert load_checkpoint(tmp_path / "ck", "other") is None
    assert load_checkpoint(tmp_path / "none", "abc") is None


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_broken_file_is_no_checkpoint(tmp_path, content):
    save_checkpoint(tmp_path, "abc", {"step": 3, "weights": {"w": torch.ones(200)}})
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[: len(whole) // 2] if content is None else content)
    assert load_checkpoint(tmp_path, "abc") is None


def test_no_temporary_file_is_left(tmp_path):
    save_checkpoint(tmp_path, "abc", {"step": 1})
    assert [p.name for p in tmp_path.iterdir()] == [NAME]
