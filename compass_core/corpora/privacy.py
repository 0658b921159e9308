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
# userId, uid, user_api_key_*, session.id, requester_ip_address, client.address, msisdn, email, ...
_WHO = regex.compile(
    r"(?:^|[._-])(?:end)?user(?:$|[._-]|id|name|email)|enduser|session|conversation_id|client"
    r"|ip_?addr|api_?key|e-?mail|phone|msisdn|account|tenant|customer|requester|sender|subscriber"
    r"|(?:^|[._-])(?:ip|uid)$",
    regex.I,
)
_ROLE_LIKE = ("role", "from", "type")
# Below such a field these say who it is: {"user": {"id": ...}}.
_OWN = ("id", "uid", "name", "key", "value", "number", "address", "handle", "login")
# How OpenTelemetry wraps an attribute's value; the name is outside.
_WRAPPERS = (
    *("stringValue", "intValue", "doubleValue", "arrayValue", "values"),
    *("string_value", "int_value", "double_value", "array_value"),
)
# Where a field begins in text that is no JSON: an attribute as OpenTelemetry writes it; a name in
# quotes of either kind, also escaped ones as JSON in JSON has; or a name without, before `=`.
_NAME = regex.compile(
    r"""(?P<q>\\*["'])key(?P=q)\s*:\s*(?P=q)(?P<name>[^"'\\]{1,60})(?P=q)\s*,\s*"""
    r"""(?P=q)value(?P=q)\s*:\s*"""
    r"""|(?P<q>\\*["'])(?P<name>[^"'\\]{1,60})(?P=q)\s*[:=]\s*"""
    r"""|(?<![\w.-])(?P<name>[\w.-]{1,60})\s*=\s*"""
)
# Its value: in quotes, a mapping or list with what is in it, or a bare word; to the end if cut.
_VALUE = regex.compile(
    r"""(?P<q>\\*["'])(?P<value>.*?)(?:(?<!\\)(?P=q)|\Z)"""
    r"""|\{\s*(?P<wrapper>\\*["']\w+Value\\*["']\s*:\s*)(?P<q>\\*["'])?"""
    r"""(?P<value>[^{}\[\]"']*)(?:(?P=q)\s*\}|\Z)"""
    r"""|(?P<value>(?P<curly>\{(?:[^{}]++|(?&curly))*+(?:\}|\Z)))"""
    r"""|(?P<value>(?P<square>\[(?:[^\[\]]++|(?&square))*+(?:\]|\Z)))"""
    r"""|(?P<value>[^\s,;{}\[\]"'\\]+)""",
    regex.S,
)
_NO_VALUE = ("", "null", "None", "true", "false", "True", "False")


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
            return self.text(self._unread(line.raw))
        try:
            text = json.dumps(self._value("", line.record), ensure_ascii=False, default=str)
        except RecursionError:
            return self.text(self._unread(line.raw))
        return raw_text(text.encode("utf-8", "surrogatepass"))

    def text(self, text: str) -> str:
        """A piece of a record, such as the value that an error names."""
        return redact(text, self._language)

    def _unread(self, text: str) -> str:
        """Text that is no JSON, with the values of fields that name somebody hashed."""
        shown, kept, at = [], 0, 0
        while name := _NAME.search(text, at):
            at = name.end()
            value = _VALUE.match(text, at) if _names_somebody(name["name"]) else None
            if value is None or value["value"] in _NO_VALUE:
                continue
            quote = value["q"] or name["q"] or ""
            hashed = f"{quote}{self._hashed(value['value'])}{quote}"
            if value["wrapper"]:
                hashed = "{" + value["wrapper"] + hashed + "}"
            shown += [text[kept:at], hashed]
            kept = at = value.end()
        return "".join([*shown, text[kept:]])

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            # OpenTelemetry writes attributes as {"key": ..., "value": {"stringValue": ...}}.
            key = value.get("key")
            if isinstance(key, str) and set(value) == {"key", "value"}:
                return {"key": key, "value": self._value(key, value["value"])}
            return {k: self._value(_inner_name(name, str(k)), v) for k, v in value.items()}
        if isinstance(value, list):
            return [self._value(name, item) for item in value]
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return value
        if _names_somebody(name):
            return self._hashed(str(value)) if value != "" else value
        return self._said(value) if isinstance(value, str) else value

    def _said(self, text: str) -> str:
        """Text of a field that names nobody; it may be JSON, as a logged request body is."""
        if text.lstrip().startswith(("{", "[")):
            try:
                inner = json.loads(text)
                shown = self._value("", inner)
                if shown != inner:
                    return json.dumps(shown, ensure_ascii=False)
            except (ValueError, RecursionError):
                return self.text(self._unread(text))
        return self.text(text)

    def _hashed(self, value: str) -> str:
        return f"{HASHED}{user_hash(self._salt, value)}"


def _inner_name(outer: str, inner: str) -> str:
    """The name that says what a field inside another one is."""
    if inner in _WRAPPERS:
        return outer
    return f"{outer}.{inner}" if inner in _OWN and _names_somebody(outer) else inner


def _names_somebody(name: str) -> bool:
    return name not in _ROLE_LIKE and bool(_WHO.search(name))
