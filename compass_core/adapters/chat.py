"""Rows to token ids: the model's own chat template, with loss on the assistant's tokens only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compass_core.adapters.presets import GENERIC
from compass_core.errors import ModelError
from compass_core.turns import Exchange, messages

THOUGHT = "</think>"
PROMPT_SHARE = 4  # an answer that is too long leaves one token in so many to what is asked
PLAIN_USER, PLAIN_ASSISTANT = "User: ", "\nAssistant: "  # for models without a chat template

# The same as a template, for servers of a model that has none.
PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for turn in messages %}{% if turn.role == 'system' %}"
    "{{ turn.content + '\\n\\n' }}{% elif turn.role == 'user' %}"
    "{{ 'User: ' + turn.content + '\\nAssistant: ' }}{% else %}{{ turn.content + eos_token }}"
    "{% if not loop.last %}{{ '\\n' }}{% endif %}{% endif %}{% endfor %}"
)


@dataclass(frozen=True)
class Dialect:
    """How a project renders a conversation: what the template is told, and its system turn."""

    arguments: Mapping[str, Any] = field(default_factory=lambda: GENERIC.template_arguments)
    system: str | None = None


def set_dialect(tokenizer: Any, dialect: Dialect) -> None:
    """Let a tokenizer carry its dialect, so that training and scoring cannot differ in it."""
    tokenizer.compass_dialect = dialect


def dialect_of(tokenizer: Any) -> Dialect:
    """The dialect that a tokenizer carries."""
    found: Dialect = getattr(tokenizer, "compass_dialect", Dialect())
    return found


@dataclass(frozen=True)
class Example:
    """Token ids of one row. `supervised` of them carry loss: the last ones, or those in `spans`.

    `spans` are (start, end) in `ids`, for a row in which the assistant speaks more than once.
    """

    row_id: str
    ids: list[int]
    supervised: int
    truncated: bool
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def labels(self) -> list[int]:
        """Ids with -100 where there is no loss."""
        if not self.spans:
            return [-100] * (len(self.ids) - self.supervised) + self.ids[-self.supervised :]
        found = [-100] * len(self.ids)
        for start, end in self.spans:
            found[start:end] = self.ids[start:end]
        return found


def prompt_text(
    tokenizer: Any, prompt: str, earlier: Sequence[Exchange] = (), system: str | None = None
) -> str:
    """Everything up to where the assistant begins to speak, as the template writes it.

    `earlier`: what was said before the prompt. `system`: the conversation's own system turn, which
    takes the place of the project's.
    """
    system = dialect_of(tokenizer).system if system is None else system
    if tokenizer.chat_template:
        turns = [*messages(earlier, system), {"role": "user", "content": prompt}]
        return _rendered(tokenizer, turns, True)
    before = f"{system}\n\n" if system else ""
    said = "".join(
        f"{PLAIN_USER}{asked}{PLAIN_ASSISTANT}{answered}{tokenizer.eos_token}\n"
        for asked, answered in earlier
    )
    return f"{tokenizer.bos_token or ''}{before}{said}{PLAIN_USER}{prompt}{PLAIN_ASSISTANT}"


def prompt_ids(
    tokenizer: Any, prompt: str, earlier: Sequence[Exchange] = (), system: str | None = None
) -> list[int]:
    """Ids of everything up to where the assistant begins to speak."""
    return text_ids(tokenizer, prompt_text(tokenizer, prompt, earlier, system))


def text_ids(tokenizer: Any, text: str) -> list[int]:
    """Ids of a piece of rendered text, with nothing put around it."""
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def turns_text(tokenizer: Any, turns: list[dict[str, str]], asks: bool = True) -> str:
    """Turns of any roles as the template writes them, up to where the assistant begins to speak.

    Without `asks` the last turn is the assistant's, and is to be gone on with.
    """
    return _rendered(tokenizer, turns, asks, continue_final_message=not asks)


def _rendered(tokenizer: Any, turns: list[dict[str, str]], asks: bool, **more: Any) -> str:
    if turns[0]["role"] == "system" and not _takes_system(tokenizer):
        system, first, *rest = turns
        turns = [{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest]
    return _applied(tokenizer, turns, asks, **more)


def _applied(tokenizer: Any, turns: list[dict[str, str]], asks: bool, **more: Any) -> str:
    more |= dialect_of(tokenizer).arguments
    return str(
        tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=asks, **more)
    )


def _takes_system(tokenizer: Any) -> bool:
    """Whether the template writes a system turn. Gemma and Gemma 2 refuse one, others skip it.

    Its text then goes before the first user turn, as Gemma 3's own template does.
    """
    from jinja2 import TemplateError

    known: dict[str, bool] = tokenizer.__dict__.setdefault("compass_takes_system", {})
    template = str(tokenizer.chat_template)
    if template not in known:
        mark = "compass-system-turn"
        turns = [{"role": "system", "content": mark}, {"role": "user", "content": "a"}]
        try:
            known[template] = mark in _applied(tokenizer, turns, True)
        except TemplateError:
            known[template] = False
    return known[template]


def response_ids(
    tokenizer: Any,
    prompt: str,
    response: str,
    earlier: Sequence[Exchange] = (),
    system: str | None = None,
) -> list[int]:
    """Ids of the assistant's turn up to and including the token that ends it.

    Read off the template's own rendering, so that whatever it puts around an answer is learned.
    Raises ModelError where the prompt's rendering is no prefix of the whole.
    """
    if not tokenizer.chat_template:
        return [*text_ids(tokenizer, response), tokenizer.eos_token_id]
    start = prompt_text(tokenizer, prompt, earlier, system)
    system = dialect_of(tokenizer).system if system is None else system
    whole = _rendered(tokenizer, messages([*earlier, Exchange(prompt, response)], system), False)
    if not whole.startswith(start):
        if THOUGHT in response:
            raise ModelError(
                f"the answer holds a thinking block ({THOUGHT}), which has no place behind a "
                "prompt that switches thinking off; set base_model.template_arguments: "
                "{enable_thinking: true}, or take the blocks out of the data"
            )
        raise ModelError(
            "the chat template renders a prompt differently when an answer follows; "
            "what would be trained on is not what is generated from: fix the template, or its "
            "arguments in base_model.template_arguments"
        )
    ids = text_ids(tokenizer, whole[len(start) :].rstrip("\n"))
    ends = {tokenizer.eos_token_id, *_turn_ends(tokenizer)}
    # Phi closes the text after the turn, Phi 3.5 on a line of its own; nobody generates beyond the
    # turn's end.
    kept = len(ids)
    for place in range(len(ids) - 1, 0, -1):
        if ids[place] in ends:
            kept = place + 1
        elif tokenizer.decode([ids[place]]).strip():
            break
    return ids[:kept] if kept and ids[kept - 1] in ends else [*ids, tokenizer.eos_token_id]


def answer_end(tokenizer: Any) -> int:
    """Id of the token that an answer is taught to end with."""
    return response_ids(tokenizer, "?", "!")[-1]


def encode_example(
    tokenizer: Any,
    row_id: str,
    prompt: str,
    response: str,
    max_tokens: int,
    system: str | None = None,
) -> Example:
    """One training example, at most `max_tokens` long.

    What is too long loses the beginning of what the user says; everything that the template puts
    before it (the system turn, the marks that open the turn) stays. The answer is cut at its end
    only where it would leave less than a fourth to its prompt.
    """
    before = prompt_ids(tokenizer, prompt, (), system)
    answer = response_ids(tokenizer, prompt, response, (), system)
    truncated = len(before) + len(answer) > max_tokens
    if truncated:
        least = min(len(before), max_tokens // PROMPT_SHARE)
        answer = answer[: max_tokens - least]
        before = _shortened(tokenizer, prompt, system, before, max_tokens - len(answer))
    return Example(row_id, before + answer, len(answer), truncated)


def _shortened(
    tokenizer: Any, prompt: str, system: str | None, ids: list[int], room: int
) -> list[int]:
    """The last tokens of a prompt behind what stands before the user's words, `room` in all.

    Where there is no room for both ends of the template, or a tokenizer joins its words with the
    user's, it is the prompt's last tokens alone.
    """
    text, said = prompt_text(tokenizer, prompt, (), system), prompt.strip()
    start = text.rfind(said)
    if start >= 0:
        head = text_ids(tokenizer, text[:start])
        tail = text_ids(tokenizer, text[start + len(said) :])
        if ids[: len(head)] == head and len(head) + len(tail) < room:
            return head + ids[len(ids) - (room - len(head)) :]
    return ids[len(ids) - room :]


def _turn_ends(tokenizer: Any) -> list[int]:
    """Ids of the tokens by which known templates end a turn, where this vocabulary has them."""
    names = ["<|im_end|>", "<|eot_id|>", "<|eot|>", "<|end|>", "<end_of_turn>", "<|return|>"]
    # Not get_vocab(): it copies the whole vocabulary, some 50 ms for each answer.
    found = tokenizer.convert_tokens_to_ids(names)
    return [i for i in found if i is not None and i != tokenizer.unk_token_id]
