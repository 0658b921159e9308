import json

import numpy as np
import pytest

from compass_core.adapters.chat import encode_example
from compass_core.adapters.model_folder import load_tokenizer
from compass_core.adapters.tokens import supervised_tokens
from compass_core.config.schema import BaseModelSettings

RESPONSES = ["Nairobi", "नई दिल्ली", "القاهرة", "กรุงเทพ", "東京です。", "አዲስ አበባ", ""]


@pytest.mark.parametrize("family", ["llama", "plain"])
def test_as_many_as_training_really_supervises(project, family):
    settings = BaseModelSettings(model=f"models/{family}")
    tokenizer = load_tokenizer(settings, project)
    counted = supervised_tokens(settings, project, RESPONSES)
    assert counted.dtype == np.int64
    assert counted.tolist() == [
        encode_example(tokenizer, "r", "swali", text, 512).supervised for text in RESPONSES
    ]
    assert counted[-1] == 1  # an empty answer is its end


def test_padding_and_cutting_set_in_the_file_do_not_count(project, tmp_path):
    text = (project / "models" / "llama" / "tokenizer.json").read_text()
    settings = json.loads(text)
    settings["truncation"] = {
        "direction": "Right",
        "max_length": 2,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "tokenizer.json").write_text(json.dumps(settings))
    cut = supervised_tokens(BaseModelSettings(model="./cut"), tmp_path, RESPONSES)
    whole = supervised_tokens(BaseModelSettings(model="models/llama"), project, RESPONSES)
    assert cut.tolist() == whole.tolist()


def test_nothing_is_nothing(project):
    assert supervised_tokens(BaseModelSettings(model="models/llama"), project, []).shape == (0,)
