import math
from types import SimpleNamespace

import pytest
import torch

from compass_core.adapters.loss import summed_loss


def test_a_uniform_model_pays_log_of_the_vocabulary_for_each_labelled_token():
    def model(input_ids, attention_mask, use_cache):
        return SimpleNamespace(logits=torch.zeros(*input_ids.shape, 10))

    ids = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 0]])
    labels = torch.tensor([[-100, -100, 3, 4], [-100, 6, -100, -100]])
    batch = {"input_ids": ids, "attention_mask": ids > 0, "labels": labels}
    assert float(summed_loss(model, batch)) == pytest.approx(3 * math.log(10))


def test_a_token_is_predicted_from_what_stands_before_it():
    def model(input_ids, attention_mask, use_cache):
        logits = torch.zeros(*input_ids.shape, 10)
        logits[0, 1, 7] = 100.0  # after the second token: surely 7
        return SimpleNamespace(logits=logits)

    ids = torch.tensor([[1, 2, 7]])
    batch = {"input_ids": ids, "attention_mask": ids > 0}
    assert float(summed_loss(model, {**batch, "labels": torch.tensor([[-100, -100, 7]])})) < 1e-6
    assert float(summed_loss(model, {**batch, "labels": torch.tensor([[-100, 2, -100]])})) > 2
