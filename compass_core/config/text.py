"""Settings of everything that happens to text on its way in: corpora, logs, cleaning, language."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from compass_core.config.section import Section, Share, Tag
from compass_core.languages import standard_tag

Column = Literal[
    "prompt",
    "response",
    "input",
    "messages",
    "system",
    "text",
    "id",
    "language",
    "source",
    "license",
    "revision",
]
Pii = Literal["email", "phone", "card", "iban", "ip"]
ALL_PII: list[Pii] = ["email", "phone", "card", "iban", "ip"]


class Corpus(Section):
    """One corpus that is fetched by name, or a set of files with columns of their own."""

    name: str = Field(description="Short name; fetched files are called after it.", min_length=1)
    role: Literal["auxiliary", "training"] = Field(
        "auxiliary", description="Which input folder it belongs to."
    )
    dataset: str | None = Field(
        None,
        description="A Hugging Face dataset: its name on the Hub, or a local folder or file. "
        "`compass fetch` streams it into the input folders.",
    )
    config: str | None = Field(None, description="Configuration (subset) of the dataset.")
    split: str = Field("train", description="Split of the dataset.")
    revision: str | None = Field(
        None,
        description="Commit, tag or branch on the Hub; what it stands for is recorded. Or the "
        "revision to note for files that do not name one.",
    )
    files: str | None = Field(
        None,
        description="Instead of `dataset`: which files of the role's folder this is about, as a "
        "pattern under the language folder, such as 'mt-*.csv'.",
    )
    language: Tag | None = Field(
        None, description="Language of every row of a dataset that has no language column."
    )
    languages: list[Tag] | None = Field(
        None, description="Fetch only these languages of a dataset; null: all."
    )
    columns: dict[Column, str] = Field(
        default_factory=dict,
        description="Where columns have other names than the known shapes: ours to theirs, such "
        "as {prompt: question, response: best_answer}.",
    )
    source: str | None = Field(
        None, description="Source of rows that do not name one; null: `name`."
    )
    license: str | None = Field(None, description="Licence of rows that do not name one.")

    @field_validator("name")
    @classmethod
    def _file_name(cls, value: str) -> str:
        if not all(c.isalnum() or c in "-_." for c in value) or value.startswith((".", "_")):
            raise ValueError(f"received {value!r}; allowed: letters, digits, - and _")
        return value

    @field_validator("language")
    @classmethod
    def _tag(cls, value: str | None) -> str | None:
        return standard_tag(value) if value else value

    @field_validator("languages")
    @classmethod
    def _tags(cls, value: list[str] | None) -> list[str] | None:
        return [standard_tag(tag) for tag in value] if value else value

    @model_validator(mode="after")
    def _one_origin(self) -> "Corpus":
        if (self.dataset is None) == (self.files is None):
            raise ValueError(f"corpus {self.name}: give either dataset or files")
        return self

    @property
    def file_pattern(self) -> str:
        """Which files below a language folder this entry is about."""
        return self.files or f"{self.name}.jsonl.zst"


PUBLIC_SALT = "compass"  # whoever knows it can try ids against the hashes


class Ingest(Section):
    """What makes a row acceptable, and when a log file counts as complete."""

    max_chars: int = Field(20_000, ge=100, description="Longer texts are quarantined.")
    settle_s: float = Field(
        5.0, ge=0, description="Seconds a log file must be unchanged before it is taken."
    )
    incomplete_after_s: float = Field(
        3600.0,
        ge=0,
        description="Seconds after which a file whose last line is broken is taken all the same.",
    )
    user_salt: str = Field(
        PUBLIC_SALT, description="Salt for hashing user ids; set your own and keep it secret."
    )
    turns: Literal["last", "conversation"] = Field(
        "last",
        description="What of a logged conversation is usage: its last user turn, or all turns "
        "up to it as one text.",
    )
    late_after_days: int = Field(
        3650,
        ge=0,
        description="Events older than this many days when their file arrived are quarantined "
        "as too_late, so that a late file cannot move an old day for ever.",
    )


class Cleaning(Section):
    """What is done to text: each rule can be switched; each dropped row has a reason."""

    unicode: Literal["off", "NFC", "NFKC"] = Field(
        "NFC", description="Normal form. NFKC also folds width and ligatures, and loses some."
    )
    mojibake: bool = Field(
        True, description="Repair text that was decoded as the wrong encoding (ftfy)."
    )
    control_characters: Literal["off", "quarantine", "remove"] = Field(
        "quarantine",
        description="Rows with control characters: set aside (something upstream is broken), or "
        "taken without them; off: taken with them.",
    )
    min_chars: int = Field(
        1, ge=1, description="Shorter prompts and responses are quarantined as too_short."
    )
    boilerplate: bool = Field(
        False,
        description="Corpora: drop lines of web boilerplate (cookies, privacy, terms of use), in "
        "13 languages.",
    )
    repetition: bool = Field(
        True,
        description="Corpora: quarantine texts that repeat themselves, by the rules of Gopher, on "
        "words, or on characters in scripts without spaces.",
    )
    repetition_min_units: int = Field(
        150,
        ge=10,
        description="Texts of fewer words (or 4 characters a word without spaces) are not judged "
        "for repetition: a good short answer repeats the words of its question.",
    )
    pii: list[Pii] = Field(
        default_factory=lambda: list(ALL_PII),
        description="Personal data replaced by placeholders such as <EMAIL>, in corpora and logs: "
        "email, phone, card, iban, ip; [] replaces nothing.",
    )
    name_recognisers: dict[Tag, str] = Field(
        default_factory=dict,
        description="Recognisers of personal names that you install, by language: "
        "'package.module:function', which gives (start, end) of each name in a text.",
    )
    duplicates: Literal["off", "exact", "near"] = Field(
        "exact",
        description="Corpora: rows whose prompt and response are the same as another's but for "
        "case and spaces (exact), or nearly the same too (near). Logs keep every question: how "
        "often something is asked is what they are for.",
    )
    near_similarity: Annotated[float, Field(ge=0.5, lt=1.0)] = Field(
        0.85, description="near: least Jaccard similarity of character 5-grams."
    )
    near_min_chars: int = Field(
        200,
        ge=20,
        description="near: rows with less text than this are only compared exactly, because short "
        "questions of one form are all nearly the same.",
    )
    across_partitions: bool = Field(
        False,
        description="Corpora: also drop what an earlier partition holds (training before "
        "auxiliary, then by tag). What is kept then depends on what was ingested before.",
    )

    @field_validator("name_recognisers")
    @classmethod
    def _tags(cls, value: dict[str, str]) -> dict[str, str]:
        wrong = sorted(path for path in value.values() if path.count(":") != 1)
        if wrong:
            raise ValueError(f"received {wrong[0]!r}; allowed: 'package.module:function'")
        return {standard_tag(tag): path for tag, path in value.items()}


class LanguageId(Section):
    """Which language a row really is in. It is noted beside the declared one and drops nothing."""

    enabled: bool = Field(True, description="Identify languages while rows come in.")
    min_confidence: Share = Field(
        0.8, description="Less sure than this is noted as unsure, not as a disagreement."
    )
    min_letters: int = Field(12, ge=1, description="Texts with fewer letters are noted as unsure.")
    warn_share: Share = Field(
        0.1, description="The check warns when a larger share of a partition's rows disagrees."
    )
