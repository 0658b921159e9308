"""The child process: runs one model task and tells the parent over Dagster Pipes.

    python -m compass_assets.worker

The task, the project file and the arguments come through Pipes' context, progress lines go to the
run's log, the result goes back as a message. The same entry point serves any Pipes client.
"""

import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from dagster_pipes import PipesContext, open_dagster_pipes

WATCH_S = 1.0


def main() -> None:
    end_with_parent()
    with open_dagster_pipes() as pipes:
        result = run(pipes)
        pipes.report_custom_message({"result": result})


def end_with_parent() -> None:
    """End this process when the one that started it is gone: whoever runs the step again would
    have two of them at work. What was not checkpointed yet is done again."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        os._exit(1)

    if parent > 1:  # in a container's first process there is nobody to watch
        threading.Thread(target=watch, daemon=True).start()


def run(pipes: PipesContext) -> dict[str, Any]:
    extras = pipes.extras
    threads = extras.get("threads")
    if threads:
        # Before torch and numpy are imported: their pools read it once.
        os.environ["OMP_NUM_THREADS"] = str(threads)
    from compass_core.config.load import load_project, with_overrides
    from compass_core.errors import TrainingError
    from compass_core.stages import models as tasks
    from compass_core.workspace import Workspace

    loaded = load_project(Path(extras["project_file"]))
    overrides = extras["overrides"]
    project = with_overrides(loaded.project, overrides) if overrides else loaded.project
    ws = Workspace.open(loaded, project)
    arguments = extras["arguments"]

    who = " ".join(filter(None, (extras["task"], arguments.get("language"))))

    def report(text: str) -> None:
        pipes.log.info(text)
        print(f"{who}: {text}", file=sys.stderr, flush=True)

    if extras["task"] == "encode":
        return tasks.encode(ws, [tuple(part) for part in arguments["parts"]], report)
    if extras["task"] == "train":
        try:
            return tasks.train(
                ws,
                arguments["language"],
                arguments["lineage"],
                report,
                arguments.get("asked", "full"),
            )
        except TrainingError as error:
            return {"stopped": str(error)}
    if extras["task"] == "score":
        return tasks.score(ws, arguments["language"], arguments["version"], report)
    if extras["task"] == "compare":
        from compass_core.stages.comparison import compare_strategies

        return compare_strategies(
            ws, arguments["language"], arguments["strategies"], arguments["seeds"], report
        )
    if extras["task"] == "performance":
        from compass_core.stages.performance import measure_performance

        return measure_performance(ws, arguments["language"], arguments["report_version"], report)
    raise ValueError(
        f"task {extras['task']!r} received; allowed: encode, train, score, compare, performance"
    )


if __name__ == "__main__":
    main()
