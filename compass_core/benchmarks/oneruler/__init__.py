"""Long contexts in many languages: needles, absent needles and word counts, after OneRuler.

The tasks are OneRuler's (arXiv 2503.01996); texts, prompts and words are the project's own, so its
figures are comparable between models here, not with published ones. Rows that OneRuler publishes
(`index, input, outputs, length`) are scored as they are.
"""
