import numpy as np
import pytest
import torch

from compass_core.adapters.model_folder import load_base, load_tokenizer
from compass_core.config.schema import BaseModelSettings, Execution
from compass_core.drift.prompt_loss import prompt_losses
from compass_core.errors import ModelError

TEXTS = ["Ni Nairobi.", "नई दिल्ली।", "Mji mkuu wa Kenya ni upi?"]
EXECUTION = Execution(device="cpu", threads=1)


def make_adapter(project, folder, scale, model="llama"):
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    base = load_base(BaseModelSettings(model=f"models/{model}"), project, EXECUTION)
    made = get_peft_model(base, LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM"))
    for name, parameter in made.named_parameters():
        if "lora_B" in name:
            parameter.data = scale * torch.randn_like(parameter)
    made.save_pretrained(str(folder))
    return folder


def measure(project, folder, texts, model="llama", max_tokens=200):
    settings = BaseModelSettings(model=f"models/{model}")
    return prompt_losses(texts, settings, folder, EXECUTION, project, max_tokens)


@torch.no_grad()
def test_losses_are_of_the_prompts_own_tokens_in_the_template(project, tmp_path):
    found = measure(project, make_adapter(project, tmp_path, 1.0), TEXTS)
    settings = BaseModelSettings(model="models/llama")
    tokenizer = load_tokenizer(settings, project)
    base = load_base(settings, project, EXECUTION)
    for number, text in enumerate(TEXTS):
        own = tokenizer(text, add_special_tokens=False)["input_ids"]
        before = [1, 3]  # <s><|user|>
        ids = torch.tensor([[*before, *own]])
        logits = base(input_ids=ids).logits[0, len(before) - 1 : -1].float()
        expected = torch.nn.functional.cross_entropy(logits, torch.tensor(own), reduction="sum")
        assert found.tokens[number] == len(own)
        assert found.base_nats[number] == pytest.approx(float(expected), rel=1e-4)
    assert not np.allclose(found.adapter_nats, found.base_nats)


def test_a_long_prompt_is_cut(project, tmp_path):
    found = measure(project, make_adapter(project, tmp_path, 1.0), [TEXTS[2] * 5], max_tokens=20)
    assert found.tokens[0] == 18  # the template takes two


def test_an_adapter_that_changes_nothing_is_refused(project, tmp_path):
    folder = make_adapter(project, tmp_path, 0.0)
    with pytest.raises(ModelError, match="changes no loss of 3 prompts"):
        measure(project, folder, TEXTS)
