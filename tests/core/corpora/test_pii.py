"""Personal data becomes a placeholder; numbers that belong to nobody stay."""

import pytest

from compass_core.config.schema import Cleaning
from compass_core.corpora.pii import redact, replace_pii
from compass_core.errors import ConfigError

RULES = Cleaning()


@pytest.mark.parametrize(
    ("language", "text", "clean"),
    [
        ("sw", "Niandikie kwa asha.juma@gmail.com leo", "Niandikie kwa <EMAIL> leo"),
        ("sw", "Nipigie 0754 123 456", "Nipigie <PHONE>"),
        ("sw", "Nipigie +255 754 123 456.", "Nipigie <PHONE>."),
        ("hi", "मेरा नंबर ९८७६५ ४३२१० है", "मेरा नंबर <PHONE> है"),
        ("th", "โทร 081-234-5678 นะ", "โทร <PHONE> นะ"),
        ("ja", "メールはtaro@nifty.ne.jpです", "メールは<EMAIL>です"),
        ("pt", "Cartão 4111 1111 1111 1111, por favor", "Cartão <CARD>, por favor"),
        ("de", "DE89 3704 0044 0532 0130 00 ist meine", "<IBAN> ist meine"),
        ("ar", "العنوان 8.8.8.8 فقط", "العنوان <IP_ADDRESS> فقط"),
        ("en", "see 2001:4860:4860::8888", "see <IP_ADDRESS>"),
        # what stands beside a card does not hide it
        ("en", "4111 1111 1111 1111 12/27 CVV 123", "<CARD> 12/27 CVV 123"),
        ("en", "4111 1111 1111 1111 123", "<CARD> 123"),
        ("en", "4111111111111111 123", "<CARD> 123"),
        ("pt", "cartão 2 4111 1111 1111 1111", "cartão 2 <CARD>"),
        ("en", "4111-1111-1111-1111-1227", "<CARD>-1227"),
        ("en", "3782 822463 10005 1234", "<CARD> 1234"),
        ("en", "4111.1111.1111.1111", "<CARD>"),
        ("en", "4111\u00a01111\u00a01111\u00a01111", "<CARD>"),
        ("hi", "कार्ड:-4111111111111111", "कार्ड:-<CARD>"),
        ("en", "4111111111111111 5555555555554444", "<CARD> <CARD>"),
        ("ar", "٤١١١ ١١١١ ١١١١ ١١١١ ١٢", "<CARD> ١٢"),
        # addresses behind a sign, with letters of any Latin alphabet, with a wide @
        ("hi", "Email:-juma@gmail.com पर", "Email:-<EMAIL> पर"),
        ("en", "_juma_k@gmail.com", "<EMAIL>"),
        ("en", "write...juma@gmail.com", "write...<EMAIL>"),
        ("en", "'o'brien@gmail.com'", "'<EMAIL>'"),
        ("pt", "joão.müller@gmail.com", "<EMAIL>"),
        ("yo", "bísí.adẹ́@ile.ng", "<EMAIL>"),
        ("de", "info@müller.de", "<EMAIL>"),
        ("ja", "宛先はuser＠gmail.comです", "宛先は<EMAIL>です"),
        ("de", "DE89-3704-0044-0532-0130-00", "<IBAN>"),
        ("en", "2125550123", "<PHONE>"),
        ("sw", "WhatsApp 255754123456", "WhatsApp <PHONE>"),
        # cards of Nigeria, Brazil, India, China and others; wide and typeset signs
        ("yo", "5061 0527 1828 1823", "<CARD>"),
        ("ha", "5060992718281828455", "<CARD>"),
        ("pt", "6362 9727 1828 1826", "<CARD>"),
        ("hi", "६०८१ १७२७ १८२८ १८२३", "<CARD>"),
        ("zh", "6217002718281829", "<CARD>"),
        ("fa", "۶۰۳۷-۹۹۲۷-۱۸۲۸-۱۸۲۹", "<CARD>"),
        ("ja", "４１１１－１１１１－１１１１－１１１１", "<CARD>"),
        ("en", "4111–1111–1111–1111", "<CARD>"),
        ("de", "DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000", "<IBAN>"),
        ("ar", "SA٠٣ ٨٠٠٠ ٠٠٠٠ ٦٠٨٠ ١٠١٦ ٧٥١٩", "<IBAN>"),
        ("ar", "٨.٨.٨.٨", "<IP_ADDRESS>"),
        ("en", "IP:2a00:1450:4001:81b::200e", "IP:<IP_ADDRESS>"),
    ],
)
def test_what_is_personal_is_replaced(language, text, clean):
    assert replace_pii(text, language, RULES)[0] == clean
    assert replace_pii(clean, language, RULES) == (clean, {})


@pytest.mark.parametrize(
    "text",
    [
        "write to user@example.com or root@localhost",
        "ping 192.168.1.1, 127.0.0.1 and 10.0.0.0/8",
        "4111 1111 1111 1112 is no card",  # Luhn fails
        "DE89 3704 0044 0532 0130 01 is no account",  # check digits fail
        "In 2021 there were 2,345,678 people; pi is 3.14159265",
        "ISBN 978-3-16-148410-0, version 1.2.3.4567, at 12:30:45",
        "10:20:30 and std::vector and a::b",
        "0.4111111111111111 and .4111111111111111 and 0,4111111111111111",  # fractions
        "4111 1111 1111 1112 123 and 2023 2024 2025 2026 2027",
        "1700000000 and 1234567890 and 3.6045552217",  # no area codes, and a fraction
        "5012345678900 and 6901234567892 are bar codes",
        "user＠example.com",
        "@handle, a @ b.com, --@x.de",
    ],
)
def test_what_belongs_to_nobody_stays(text):
    assert replace_pii(text, "en", RULES) == (text, {})


@pytest.mark.parametrize("language", ["de", "sw", "id", "hi", "ja"])
def test_years_are_no_phone_numbers(language):
    text = "(1644-1912), 1990–1995, 2019/2020, ١٩٩٠-١٩٩٥"
    assert replace_pii(text, language, RULES) == (text, {})


def test_types_can_be_switched_off_one_by_one():
    text = "asha@mji.co.tz 8.8.8.8"
    assert replace_pii(text, "sw", Cleaning(pii=["ip"])) == (
        "asha@mji.co.tz <IP_ADDRESS>",
        {"ip": 1},
    )
    assert replace_pii(text, "sw", Cleaning(pii=[])) == (text, {})


def test_names_are_found_by_what_the_user_installs(monkeypatch, tmp_path):
    (tmp_path / "swahili_names.py").write_text(
        "def find(text):\n    i = text.find('Asha')\n    return [(i, i + 4)] if i >= 0 else []\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    rules = Cleaning(name_recognisers={"sw": "swahili_names:find"})
    assert replace_pii("Habari Asha", "sw", rules) == ("Habari <NAME>", {"name": 1})
    assert replace_pii("Hello Asha", "en", rules)[0] == "Hello Asha"
    with pytest.raises(ConfigError, match="name_recognisers: received 'nothing_here:find'"):
        replace_pii("Habari", "sw", Cleaning(name_recognisers={"sw": "nothing_here:find"}))


def test_what_is_kept_to_be_looked_at_knows_no_country():
    assert redact("+255 754 123 456, a@b.co") == "<PHONE>, <EMAIL>"
