"""Personal data in text becomes a typed placeholder, so that the text stays usable.

Addresses and numbers are found by form and then proved where they can be: payment cards by Luhn
and IBANs by their check digits (python-stdnum), phone numbers by the numbering plan of the
language's main country (phonenumbers, Google's data), IP addresses by being public. What belongs to
nobody stays: example.com and its like, private and documentation addresses. Names are found only by
a recogniser that the user installs, because none that is good in Swahili ships with anything.
"""

import importlib
import ipaddress
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import langcodes
import regex

from compass_core.config.text import ALL_PII, Cleaning
from compass_core.errors import ConfigError

Span = tuple[int, int]
PLACEHOLDERS = {
    "email": "<EMAIL>",
    "phone": "<PHONE>",
    "card": "<CARD>",
    "iban": "<IBAN>",
    "ip": "<IP_ADDRESS>",
    "name": "<NAME>",
}
# Latin letters only: Thai and Japanese write no space before or after an address, so letters of any
# script would pull the sentence into it. What is before the @ is cut to an address in _emails.
_LATIN = r"\p{Latin}\u0300-\u036f0-9"
_EMAIL = regex.compile(
    rf"(?<![{_LATIN}._%+'’@＠-])[{_LATIN}._%+'’-]{{1,128}}+[@＠]"
    rf"(?:[{_LATIN}](?:[{_LATIN}-]{{0,61}}[{_LATIN}])?\.)+[A-Za-z]{{2,24}}(?![{_LATIN}])"
)
_NOBODY = regex.compile(
    r"[@＠](?:.*\.)?(?:example(?:\.(?:com|org|net))?|test|invalid|localhost)$", regex.I
)
_CARD = regex.compile(r"(?<![\p{N}.,+-])\p{Nd}(?:[ -]?\p{Nd}){12,18}(?![\p{N}]|[.,-]\p{Nd})")
_GROUPS = regex.compile(r"\p{Nd}+(?:[ \u00a0\u202f\u3000.‐‑–－-]\p{Nd}+)*+")
# How cards are printed, in digits a group: what else stands in the line does not hide them then.
_LAYOUTS = ((4, 4, 4, 4, 3), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (19,), (16,), (15,), (14,))
_CARD_STARTS = regex.compile(
    r"4|5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3[47]|3(?:0[0-5]|[689])|6(?:011|4[4-9]|5)|35"
)
# Verve, Elo, RuPay, Maestro, UnionPay, Mir and banks' own: bar codes and parcels of other lengths
# begin like that too.
_LONG_CARD_STARTS = regex.compile(r"5|6|8[12]|220[0-4]")
_LONG_CARD_LENGTHS = (16, 19)
_CARD_LENGTHS = (13, 14, 15, 16, 19)
_IBAN = regex.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ \u00a0\u202f‐‑-]?[A-Za-z0-9]{4}){2,7}"
    r"(?:[ \u00a0\u202f‐‑-]?[A-Za-z0-9]{1,3})?(?![A-Za-z0-9])"
)
_IPV4 = regex.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)")
_IPV6 = regex.compile(
    r"(?<![A-Za-z0-9_])(?<![0-9A-Fa-f:]:)(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}"
    r"(?![A-Za-z0-9_:])"
)
_DIGITS = regex.compile(r"\p{Nd}")
_DIGITS_TOGETHER = regex.compile(r"\p{Nd}+")
_TWO_YEARS = regex.compile(r"\(?\s*(1\d{3}|20\d\d)\s*[-‐-―/]\s*(1\d{3}|20\d\d)\s*\)?")
_MIN_PHONE_DIGITS = 7


def replace_pii(text: str, language: str, rules: Cleaning) -> tuple[str, dict[str, int]]:
    """The text with placeholders, and counts by type; types of `rules.pii` and installed names.

    Where two finds overlap, the earlier type in the order card, iban, email, ip, phone, name wins.
    The result holds nothing that would be found again. Cost: about 0.02 ms a text without digits
    or @; phone numbers are looked for only where there are seven digits.
    """
    recogniser = _recogniser(rules.name_recognisers.get(language))
    if not recogniser and not _may_hold(text):
        return text, {}
    found: list[tuple[int, int, str]] = []
    for kind in ("card", "iban", "email", "ip", "phone"):
        if kind in rules.pii:
            for start, end in _FINDERS[kind](text, language):
                if all(end <= s or start >= e for s, e, _ in found):
                    found.append((start, end, kind))
    for start, end in recogniser(text) if recogniser else ():
        if all(end <= s or start >= e for s, e, _ in found):
            found.append((start, end, "name"))
    counts: dict[str, int] = {}
    for start, end, kind in sorted(found, reverse=True):
        text = text[:start] + PLACEHOLDERS[kind] + text[end:]
        counts[kind] = counts.get(kind, 0) + 1
    return text, counts


def redact(text: str, language: str = "und") -> str:
    """Text without personal data of any type; for what is kept only to be looked at."""
    return replace_pii(text, language, _EVERYTHING)[0]


def _may_hold(text: str) -> bool:
    if "@" in text or "＠" in text or ":" in text:
        return True
    return len(_DIGITS.findall(text)) >= 4


def _emails(text: str, language: str) -> Iterable[Span]:
    if "@" not in text and "＠" not in text:
        return
    for match in _EMAIL.finditer(text):
        local = regex.split("[@＠]", match.group())[0]
        # Signs before it are the sentence's (`Email:-juma@…`), and so is what ends in dots.
        kept = local.rpartition("..")[2].lstrip("-.'’+%")
        if kept and not _NOBODY.search(match.group()):
            yield match.start() + len(local) - len(kept), match.end()


def _cards(text: str, language: str) -> Iterable[Span]:
    for run in _GROUPS.finditer(text):
        groups = [group.span() for group in _DIGITS_TOGETHER.finditer(text, *run.span())]
        if groups[-1][1] - groups[0][0] >= min(_CARD_LENGTHS):
            yield from _printed_cards(text, groups)
    for match in _CARD.finditer(text):
        if _is_card(match.group()):
            yield match.span()


def _printed_cards(text: str, groups: list[Span]) -> Iterable[Span]:
    """Cards among groups of digits, whatever numbers stand before and after them."""
    sizes = [end - start for start, end in groups]
    first = 0
    while first < len(groups):
        step = 1
        for layout in _LAYOUTS:
            last = first + len(layout) - 1
            if tuple(sizes[first : last + 1]) != layout:
                continue
            start, end = groups[first][0], groups[last][1]
            signs = {text[groups[i][1]] for i in range(first, last)}
            if (
                len(signs) <= 1
                and _stands_alone(text, start, end, grouped=len(layout) > 1)
                and _is_card(text[start:end])
            ):
                yield start, end
                step = len(layout)
                break
        first += step


def _stands_alone(text: str, start: int, end: int, grouped: bool) -> bool:
    """Whether digits are not a part of a longer number; a bare run may be a fraction."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    joins = (".", ",") if grouped else (".", ",", "-", "‐", "‑")
    if before.endswith("+") or (not grouped and before.endswith(".")):
        return False
    if before.endswith(joins) and before[0].isdigit():
        return False
    return not (after.startswith(joins) and after[-1].isdigit())


def _is_card(text: str) -> bool:
    from stdnum import luhn

    number = _ascii_digits(text)
    return (
        len(number) in _CARD_LENGTHS
        and (
            _CARD_STARTS.match(number) is not None
            or (len(number) in _LONG_CARD_LENGTHS and bool(_LONG_CARD_STARTS.match(number)))
        )
        and len(set(number)) > 1
        and bool(luhn.is_valid(number))
    )


def _ibans(text: str, language: str) -> Iterable[Span]:
    from stdnum import iban

    text = _with_ascii_digits(text)
    for match in _IBAN.finditer(text):
        start, end = match.span()
        # The form is greedy and may run into the next word: shorten until the check digits hold.
        while end - start >= 15:
            if iban.is_valid(text[start:end], check_country=False) and _iban_length(
                text[start:end]
            ):
                yield start, end
                break
            end -= 1


def _iban_length(text: str) -> bool:
    return 15 <= sum(sign.isalnum() for sign in text) <= 34 and text[-1].isalnum()


def _ips(text: str, language: str) -> Iterable[Span]:
    text = _with_ascii_digits(text)
    for pattern in (_IPV4, _IPV6):
        if pattern is _IPV6 and "::" not in text and text.count(":") < 7:
            continue
        for match in pattern.finditer(text):
            try:
                address = ipaddress.ip_address(match.group())
            except ValueError:
                continue
            if _is_assigned(address):
                yield match.span()


def _is_assigned(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether it may be somebody's: public, and for version 6 in what is given out (2000::/3)."""
    if address.version == 6 and int(address) >> 125 != 1:
        return False  # `a::b` is code far more often than an address
    return address.is_global and not address.is_multicast


def _phones(text: str, language: str) -> Iterable[Span]:
    if len(_DIGITS.findall(text)) < _MIN_PHONE_DIGITS:
        return
    import phonenumbers

    for match in phonenumbers.PhoneNumberMatcher(text, _region(language)):
        raw = match.raw_string
        if len(_DIGITS.findall(raw)) < _MIN_PHONE_DIGITS or _years(raw):
            continue
        fraction = text[: match.start].endswith((".", ","))
        if _looks_dialled(raw) or (not fraction and _is_mobile(match.number, raw)):
            yield match.start, match.end


def _years(raw: str) -> bool:
    """Whether it is from one year to another, `(1644-1912` say, as a short plan would allow."""
    found = _TWO_YEARS.fullmatch(_with_ascii_digits(raw))
    return found is not None and int(found[1]) < int(found[2])


def _looks_dialled(raw: str) -> bool:
    """A bare run of digits may be any number; a phone number has a +, a leading 0 or groups."""
    digits = _ascii_digits(raw)
    return (
        "+" in raw
        or "＋" in raw
        or digits.startswith("0")
        or bool(regex.search(r"\p{Nd}[\s().\-/‐-―]+\p{Nd}", raw))
    )


def _is_mobile(number: Any, raw: str) -> bool:
    """Mobile numbers are often written without groups, and ten digits seldom fit by chance.

    Those of the country's code count, as in 255754123456. In North America the plan does not tell
    mobile numbers from others.
    """
    from phonenumbers import PhoneNumberType, number_type

    kinds = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return len(_DIGITS.findall(raw)) >= 10 and number_type(number) in kinds


def _with_ascii_digits(text: str) -> str:
    """The text with the digits of every script as 0 to 9, each in its place."""
    return text if text.isascii() else _DIGITS.sub(lambda m: str(unicodedata.digit(m[0])), text)


def _ascii_digits(text: str) -> str:
    return "".join(
        str(unicodedata.digit(c)) for c in text if unicodedata.digit(c, None) is not None
    )


@cache
def _region(language: str) -> str | None:
    """The country that a language is most spoken in (sw: TZ, pt: BR), or the tag's own."""
    if language == "und":
        return None
    return langcodes.Language.get(language).maximize().territory


@cache
def _recogniser(path: str | None) -> Callable[[str], Iterable[Span]] | None:
    if path is None:
        return None
    module, name = path.split(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"cleaning.name_recognisers: received {path!r}, which cannot be loaded ({error}); "
            "install it, or name an importable function of a text"
        ) from None
    recogniser: Callable[[str], Iterable[Span]] = found
    return recogniser


_FINDERS: dict[str, Callable[[str, str], Iterable[Span]]] = {
    "card": _cards,
    "iban": _ibans,
    "email": _emails,
    "ip": _ips,
    "phone": _phones,
}
_EVERYTHING = Cleaning(pii=list(ALL_PII))
