"""Model folders of the real architectures, tiny and with random weights."""

import pytest

CORPUS = [
    "Mji mkuu wa Kenya ni upi? Ni Nairobi.",
    "भारत की राजधानी क्या है? नई दिल्ली।",
    "ما هي عاصمة مصر؟ القاهرة.",
    "เมืองหลวงของไทยคืออะไร กรุงเทพ",
    "日本の首都はどこですか。東京です。",
    "የኢትዮጵያ ዋና ከተማ ማን ናት? አዲስ አበባ",
]
TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>"
    "\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
FAMILIES = ("llama", "qwen2", "phi3")


def make_tokenizer(template=TEMPLATE):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<|user|>", "<|assistant|>", "<|end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=special[3:],
    )
    fast.chat_template = template
    return fast


def make_model(folder, family="llama", template=TEMPLATE):
    import torch
    from transformers import (
        LlamaConfig,
        LlamaForCausalLM,
        Phi3Config,
        Phi3ForCausalLM,
        Qwen2Config,
        Qwen2ForCausalLM,
    )

    kinds = {
        "llama": (LlamaConfig, LlamaForCausalLM),
        "qwen2": (Qwen2Config, Qwen2ForCausalLM),
        "phi3": (Phi3Config, Phi3ForCausalLM),
    }
    config_class, model_class = kinds[family]
    tokenizer = make_tokenizer(template)
    torch.manual_seed(3)
    config = config_class(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.1,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    model_class(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A project folder with models/<family> and the embedder models/embedder."""
    import numpy as np
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding

    folder = tmp_path_factory.mktemp("project")
    for family in FAMILIES:
        make_model(folder / "models" / family, family)
    make_model(folder / "models" / "plain", "llama", template=None)
    tokenizer = make_tokenizer().backend_tokenizer
    weights = np.random.default_rng(5).normal(size=(tokenizer.get_vocab_size(), 16))
    weights[tokenizer.token_to_id("<|end|>")] = 0.0
    module = StaticEmbedding(tokenizer, embedding_weights=weights.astype(np.float32))
    SentenceTransformer(modules=[module]).save(str(folder / "models" / "embedder"))
    return folder


@pytest.fixture
def quiet():
    """A report function that keeps its lines."""
    lines = []

    def report(text):
        lines.append(text)

    report.lines = lines
    return report
