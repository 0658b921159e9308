"""What the doctor says of a project, finding by finding."""

from compass_core.config.schema import Project
from compass_core.doctor import _preset
from compass_core.storage import Store
from compass_core.workspace import Workspace


def test_sequences_longer_than_the_model_takes_are_named_with_the_way_out(project, tmp_path):
    def findings(max_tokens):
        settings = Project.model_validate(
            {
                "languages": {"targets": ["sw"]},
                "base_model": {"model": "models/llama"},
                "adapter": {"max_tokens": max_tokens},
            }
        )
        return _preset(Workspace(project, settings, settings, Store(tmp_path)))

    assert [f.subject for f in findings(256)] == ["preset"]
    found = findings(257)[-1]
    assert (found.level, found.subject) == ("warn", "length")
    assert found.found == "adapter.max_tokens is 257, and models/llama has 256 positions"
    assert found.advice == "set adapter.max_tokens to at most 256"
