"""Languages are noted beside what is declared; disagreement is a flag and drops nothing."""

import json
import subprocess
import sys

import pytest

from compass_core.config.schema import LanguageId
from compass_core.corpora.ingest import ingest_text
from compass_core.corpora.language_id import identify, related
from compass_core.corpora.rules import Rules
from compass_core.stages.corpora import language_facts

RULES = LanguageId()
SENTENCES = {
    "sw": "Wakulima wa kijiji walivuna mahindi mengi baada ya mvua kubwa kunyesha.",
    "hi": "गाँव के किसानों ने तेज़ बारिश के बाद बहुत सारा मक्का काटा।",
    "ar": "حصد مزارعو القرية الكثير من الذرة بعد هطول أمطار غزيرة.",
    "th": "ชาวนาในหมู่บ้านเก็บเกี่ยวข้าวโพดได้มากหลังฝนตกหนัก",
    "pt": "Os agricultores da aldeia colheram muito milho depois da chuva forte.",
    "yo": "Àwọn àgbẹ̀ abúlé náà kórè àgbàdo púpọ̀ lẹ́yìn tí òjò ńlá rọ̀.",
    "ha": "Manoman ƙauyen sun girbe masara mai yawa bayan ruwan sama mai ƙarfi.",
    "ig": "Ndị ọrụ ugbo nke obodo ahụ wetara ọtụtụ ọka mgbe nnukwu mmiri zochara.",
    "zu": "Abalimi basesigodini bavuna ummbila omningi ngemva kwemvula enamandla.",
    "bn": "গ্রামের কৃষকরা প্রবল বৃষ্টির পরে প্রচুর ভুট্টা তুলেছেন।",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_of_each_target_is_recognised(language):
    (found,) = identify([SENTENCES[language]], language, RULES)
    assert (found.tag, found.flag, found.mixed) == (language, "agrees", False)


def test_flags_say_what_is_known():
    def flag(text, declared):
        return identify([text], declared, RULES)[0].flag

    assert flag(SENTENCES["pt"], "sw") == "disagrees"
    assert flag(f"{SENTENCES['ar']} أعلنت وزارة الزراعة أن المحصول وفير.", "arz") == "related"
    assert flag("ok", "sw") == "unsure"
    assert flag("12 + 30 = ?", "sw") == "unsure"
    assert flag(SENTENCES["pt"], "nus") == "unknown"
    assert related("hr", "sr")
    assert not related("sw", "zu")


@pytest.mark.parametrize(
    ("declared", "text", "spoken"),
    [
        ("ru", "Привіт, я хотів би дізнатися, коли відкривається магазин у Києві.", "uk"),
        ("uk", "Здравствуйте, я хотел бы узнать, когда открывается магазин в городе.", "ru"),
        ("es", "Bon dia, voldria saber a quina hora obre la botiga avui si us plau.", "ca"),
        ("tr", "Salam, mən bilmək istəyirəm ki, mağaza nə vaxt açılır?", "az"),
        ("bn", "গাঁওৰ খেতিয়কসকলে প্ৰবল বৰষুণৰ পিছত বহুত মাকৈ চপালে।", "as"),
        ("gl", SENTENCES["pt"], "pt"),
        ("ne", SENTENCES["hi"], "hi"),
    ],
)
def test_neighbours_that_are_told_apart_disagree(declared, text, spoken):
    (found,) = identify([text], declared, RULES)
    assert (found.tag, found.flag) == (spoken, "disagrees")


def test_mixtures_are_marked_and_a_name_is_none():
    def mixed(text, declared="hi"):
        return identify([text], declared, RULES)[0].mixed

    assert mixed("मुझे please send कर दो the final report आज शाम तक")
    assert mixed(f"{SENTENCES['sw']} {SENTENCES['pt']}", "sw")
    assert not mixed("मुझे Nairobi जाना है और वहाँ दो दिन रहना है")
    assert not mixed(f"{SENTENCES['sw']} {SENTENCES['sw']}", "sw")


ENGLISH = "The farmers of the village harvested a lot of maize after the heavy rain had come."


@pytest.mark.parametrize("language", ["sw", "zu", "ha", "ig"])
def test_mixtures_within_one_script_are_found_also_without_a_full_stop(language):
    own = SENTENCES[language]
    half = " ".join(own.split()[:6]), " ".join(ENGLISH.split()[8:])
    both = identify([f"{own} {ENGLISH}", f"{half[0]} {half[1]}"], language, RULES)
    assert [found.mixed for found in both] == [True, True]


def test_near_neighbours_make_nobody_less_sure_and_no_mixture():
    zulu, xhosa = SENTENCES["zu"], "Amafama aselalini avune umbona omninzi emva kwemvula enkulu."
    assert not identify([f"{zulu} {xhosa}"], "zu", RULES)[0].mixed


def test_rows_carry_both_tags_and_keep_their_version(tmp_path):
    rows = [
        {"prompt": SENTENCES["sw"], "response": "Ndiyo, walivuna."},
        {"prompt": SENTENCES["pt"], "response": "Sim, colheram.", "language_code": "swh"},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    result = ingest_text(tmp_path, "sw", Rules())
    found = dict(result.accepted.select("detected_language", "language_flag").iter_rows())
    assert found == {"sw": "agrees", "pt": "disagrees"}
    assert result.accepted["declared_language"].to_list() == ["sw", "sw"]
    facts = language_facts(result.accepted)
    assert (facts["disagree_share"], facts["detected"]) == (0.5, {"pt": 1})
    unlooked = ingest_text(tmp_path, "sw", Rules(language_id=LanguageId(enabled=False)))
    assert unlooked.data_version == result.data_version
    assert unlooked.accepted["language_flag"].null_count() == 2
    assert language_facts(unlooked.accepted)["disagree_share"] == 0.0


def test_the_identifier_is_not_loaded_before_it_is_needed():
    code = (
        "import sys, compass_assets.definitions as d; "
        "print([m for m in ('py3langid', 'phonenumbers', 'ftfy', 'datasketch', 'datasets') "
        "if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
