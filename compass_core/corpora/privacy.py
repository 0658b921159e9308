"""The border: who asked is hashed with a salt, and what is kept to be looked at says nobody's name.

A user id never gets into the store. Accepted rows carry its hash; quarantined lines, which are kept
so that a person can see and fix them, have user ids hashed and personal data replaced. A hash that
comes back in a corrected line is taken for what it is, so the user stays the same one.
"""

import json
from typing import Any

import regex

from compass_core.corpora.pii import redact
from compass_core.corpora.readers import Line, raw_text
from compass_core.hashing import text_hash

HASHED = "hashed:"
# Names of fields that say who somebody is, as the log formats write them: user, end_user, user.id,
# userId, user_api_key_*, session.id, requester_ip_address, client.address, email, ...
_WHO = regex.compile(
    r"(?:^|[._-])(?:end)?user(?:$|[._-]|id|name|email)|enduser|session|conversation_id|client"
    r"|ip_?addr|api_?key|e-?mail|phone|account|tenant|customer|(?:^|[._-])ip$",
    regex.I,
)
_ROLE_LIKE = ("role", "from", "type")
_IN_TEXT = regex.compile(r'"([^"\\]{1,60})"(\s*:\s*)"((?:[^"\\]|\\.)*)("|$)')


def user_hash(salt: str, user: str | None) -> str | None:
    """32 hex digits that stand for a user; the same user and salt give the same."""
    if not user:
        return None
    already = user.removeprefix(HASHED)
    if already != user and regex.fullmatch(r"[0-9a-f]{32}", already):
        return already
    return text_hash(salt, user)


class Scrubber:
    """How a line is shown in quarantine. Call it with a line; the same line gives the same text."""

    def __init__(self, salt: str, language: str) -> None:
        self._salt = salt
        self._language = language  # phone numbers are found by the plan of its country

    def __call__(self, line: Line) -> str:
        if line.record is None:
            return self.text(_IN_TEXT.sub(self._field, line.raw))
        text = json.dumps(self._value("", line.record), ensure_ascii=False, default=str)
        return raw_text(text.encode("utf-8", "surrogatepass"))

    def text(self, text: str) -> str:
        """A piece of a record, such as the value that an error names."""
        return redact(text, self._language)

    def _field(self, match: regex.Match[str]) -> str:
        name, between, value, end = match.groups()
        if not _names_somebody(name) or not value:
            return match.group()
        return f'"{name}"{between}"{self._hashed(value)}{end}'

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            # OpenTelemetry writes attributes as {"key": ..., "value": {"stringValue": ...}}.
            key = value.get("key")
            if isinstance(key, str) and set(value) == {"key", "value"}:
                return {"key": key, "value": self._value(key, value["value"])}
            inherited = name if set(value) <= {"stringValue", "intValue"} else ""
            return {k: self._value(inherited or str(k), v) for k, v in value.items()}
        if isinstance(value, list):
            return [self._value(name, item) for item in value]
        if isinstance(value, str | int) and not isinstance(value, bool) and _names_somebody(name):
            return self._hashed(str(value))
        return self.text(value) if isinstance(value, str) else value

    def _hashed(self, value: str) -> str:
        return f"{HASHED}{user_hash(self._salt, value)}"


def _names_somebody(name: str) -> bool:
    return name not in _ROLE_LIKE and bool(_WHO.search(name))
