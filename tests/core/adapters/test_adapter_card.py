import pytest

from compass_core.adapters.card import how_to_ask, write_card
from compass_core.adapters.chat import Dialect, set_dialect
from compass_core.adapters.presets import PRESETS
from compass_core.config.schema import Adapter
from tests.core.families import family_tokenizer

ASKED = {
    "qwen3": ('`{"enable_thinking": false}`', "`<|im_end|>`"),
    "llama-3.1": ('`{"date_string": "01 Jan 2025"}`', "`<|eot_id|>`"),
    "phi-4-mini": ("chat template. An answer", "`<|end|>`"),
}


@pytest.mark.parametrize("name", ASKED)
def test_the_card_says_what_a_server_has_to_put_around_a_question(tmp_path, name):
    tokenizer = family_tokenizer(name)
    set_dialect(tokenizer, Dialect(PRESETS[name].template_arguments))
    write_card(tmp_path, "base", Adapter(), 2, {"language": "sw"}, tokenizer)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert all(text in card for text in ASKED[name])
    assert "system turn" not in card


def test_a_system_prompt_and_a_missing_template_are_told():
    tokenizer = family_tokenizer("qwen2.5")
    arguments = {"enable_thinking": False}  # this template does not know it
    set_dialect(tokenizer, Dialect(arguments, "Jibu kwa ufupi."))
    text = how_to_ask(tokenizer)
    assert 'after the system turn `"Jibu kwa ufupi."`' in text
    assert "enable_thinking" not in text
    tokenizer.chat_template = None
    assert 'ask it as `"User: …\\nAssistant: "`' in how_to_ask(tokenizer)
