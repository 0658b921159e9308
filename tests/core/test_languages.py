import pytest

from compass_core.languages import display_name, standard_tag


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("sw", "sw"),
        ("swa", "sw"),
        ("swh_Latn", "sw"),
        ("hin_Deva", "hi"),
        ("arb_Arab", "ar"),
        ("cmn", "zh"),
        ("zho_Hant", "zh-Hant"),
        ("nor", "nb"),
        ("pes", "fa"),
        ("zsm", "ms"),
        ("npi_Deva", "ne"),
        ("azj_Latn", "az"),
        ("plt", "mg"),
        ("khk_Cyrl", "mn"),
        ("azb", "azb"),  # South Azerbaijani is no standard of it
        ("kor_Hang", "ko"),
        ("jpn_Jpan", "ja"),
        ("pt-br", "pt-BR"),
        ("sr-Latn", "sr-Latn"),
        ("THA", "th"),
    ],
)
def test_what_sources_write_becomes_one_tag(written, tag):
    assert standard_tag(written) == tag


@pytest.mark.parametrize("written", ["../../etc", "a/b", "", "xx", "und", "klingon!", "x" * 40])
def test_what_is_no_language_is_refused_with_what_is_allowed(written):
    with pytest.raises(ValueError, match="BCP-47"):
        standard_tag(written)


def test_names_are_readable():
    assert display_name("sw") == "Swahili"
