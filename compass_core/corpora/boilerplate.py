"""Lines of web boilerplate: what C4 takes out (Raffel et al. 2020, arXiv 1910.10683, section 2.2).

C4's phrases are English; beside them stand the same in other languages, as footers and consent
banners write them. All are looked for in every text: pages in small languages often have their
furniture in a large one. The rule is off by default, because an instruction may well be about a
cookie policy. It takes lines out and never empties a text: then the text is the topic.
"""

import unicodedata

import regex

# Written for this project, without review by native speakers. Privacy policy, terms of use, cookie
# policy, "uses cookies", "enable JavaScript", as far as a language has a settled phrase for it.
PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        "terms of use",
        "privacy policy",
        "cookie policy",
        "uses cookies",
        "use of cookies",
        "use cookies",
        "enable javascript",
        "javascript is disabled",
        "lorem ipsum",
    ),
    "ar": ("سياسة الخصوصية", "شروط الاستخدام", "ملفات تعريف الارتباط", "تفعيل جافا سكريبت"),
    "bn": ("গোপনীয়তা নীতি", "ব্যবহারের শর্তাবলী", "কুকি নীতি", "কুকি ব্যবহার কর"),
    "ha": ("manufar sirri", "sharuɗɗan amfani", "amfani da kukis"),
    "hi": ("गोपनीयता नीति", "उपयोग की शर्तें", "कुकी नीति", "कुकीज़ का उपयोग", "जावास्क्रिप्ट सक्षम"),
    "id": ("kebijakan privasi", "ketentuan penggunaan", "kebijakan cookie", "menggunakan cookie"),
    "ig": ("iwu nzuzo", "usoro ojiji", "iwu kuki", "iwu cookie"),
    "ja": (
        "プライバシーポリシー",
        "利用規約",
        "cookieを使用",
        "クッキーを使用",
        "javascriptを有効",
    ),
    "pt": (
        "política de privacidade",
        "termos de uso",
        "política de cookies",
        "utiliza cookies",
        "usa cookies",
        "usamos cookies",
        "ative o javascript",
        "habilite o javascript",
    ),
    "sw": ("sera ya faragha", "masharti ya matumizi", "sera ya vidakuzi", "tunatumia vidakuzi"),
    "th": ("นโยบายความเป็นส่วนตัว", "ข้อกำหนดการใช้งาน", "นโยบายคุกกี้", "ใช้คุกกี้", "เปิดใช้งาน javascript"),
    "yo": ("ètò ìpamọ́", "ìlànà ìpamọ́", "òfin ìlò"),
    "zu": ("inqubomgomo yobumfihlo", "imigomo yokusebenzisa", "amakhukhi"),
}
_ANY = regex.compile(
    "|".join(
        regex.escape(unicodedata.normalize("NFC", phrase).casefold())
        for phrases in PHRASES.values()
        for phrase in phrases
    )
)


def without_boilerplate(text: str) -> str:
    """The text without its boilerplate lines; unchanged where nothing would be left."""
    if "\n" not in text:
        return text
    lines = text.split("\n")
    kept = [line for line in lines if not _ANY.search(line.casefold())]
    if len(kept) == len(lines) or not any(line.strip() for line in kept):
        return text
    return "\n".join(kept).strip()
