"""Running a model task in a child process through Dagster Pipes.

A child that is killed or runs out of memory ends its step and not the whole run's process, so the
step is seen to fail, is retried, and finds what the first try finished. The resource `pipes` starts
it; a client that starts pods may take its place (docs/operations.md).
"""

import sys
from typing import Any

import dagster as dg

from compass_assets.resources import ProjectResource
from compass_core.errors import CompassError


def run_child(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    project: ProjectResource,
    pipes: dg.PipesSubprocessClient,
    task: str,
    arguments: dict[str, Any],
) -> dict[str, Any]:
    """Run one task of `compass_assets.worker` and return its figures.

    Raises dagster's pipes error when the child fails, CompassError when it ends without a result.
    """
    invocation = _start(context, project, pipes, task, arguments)
    for message in invocation.get_custom_messages():
        if isinstance(message, dict) and "result" in message:
            return dict(message["result"])
    raise CompassError(f"the {task} child ended without a result; see its output in the run's log")


def _start(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
    project: ProjectResource,
    pipes: dg.PipesSubprocessClient,
    task: str,
    arguments: dict[str, Any],
) -> dg.PipesClientCompletedInvocation:
    return pipes.run(
        context=context,
        command=[sys.executable, "-m", "compass_assets.worker"],
        extras={
            "task": task,
            "arguments": arguments,
            "project_file": project.project_file,
            "overrides": project.overrides(),
            "threads": project.workspace().project.execution.threads,
        },
        env={
            "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            # Says nothing to whoever reads the run's log: a name inside transformers will change.
            "PYTHONWARNINGS": "ignore::FutureWarning:transformers.modeling_utils",
        },
    )
