"""Texts to vectors: one asset a corpus, all through one store that encodes each text once."""

from typing import Any

import dagster as dg

from compass_assets.automation import FOLLOW
from compass_assets.child import run_child
from compass_assets.describe import MODELS_POOL, child_retry, graph_asset
from compass_assets.partitions import language_partitions, pool_partitions
from compass_assets.resources import ProjectResource
from compass_assets.rolls import as_result, catalogue_events
from compass_assets.step import Events, Step, tell
from compass_core.config.schema import Project


def build(project: Project, code_versions: dict[str, str]) -> list[dg.AssetsDefinition]:
    languages = language_partitions(project)

    @graph_asset(
        "auxiliary_embeddings",
        pool_partitions,
        code_versions,
        kinds=["pytorch", "lancedb"],
        condition=FOLLOW,
        child=child_retry(project),
        description="Vectors of one auxiliary corpus; only texts without a vector are encoded.",
    )
    def auxiliary_embeddings(
        context: dg.AssetExecutionContext,
        project: ProjectResource,
        pipes: dg.PipesSubprocessClient,
    ) -> Events:
        step = Step(context, project, "auxiliary_embeddings")
        yield _embed(step, project, pipes, "auxiliary")
        yield from catalogue_events(step.ws, context.instance, context.run.run_id)

    @graph_asset(
        "auxiliary_catalogue",
        languages,
        code_versions,
        kinds=["json"],
        mappings={
            "auxiliary_corpus": dg.AllPartitionMapping(),
            "auxiliary_embeddings": dg.AllPartitionMapping(),
        },
        description=(
            "Which auxiliary corpora a target language may sample from, at which versions. "
            "Rolled by every step that changes one."
        ),
    )
    def auxiliary_catalogue(context: dg.AssetExecutionContext, project: ProjectResource) -> Events:
        step = Step(context, project, "auxiliary_catalogue")
        events = catalogue_events(step.ws, context.instance, context.run.run_id, [step.partition])
        yield as_result(next(events))

    @graph_asset(
        "training_embeddings",
        languages,
        code_versions,
        kinds=["pytorch", "lancedb"],
        condition=FOLLOW,
        child=child_retry(project),
        description="Vectors of the training corpus of a language.",
    )
    def training_embeddings(
        context: dg.AssetExecutionContext,
        project: ProjectResource,
        pipes: dg.PipesSubprocessClient,
    ) -> Events:
        yield _embed(Step(context, project, "training_embeddings"), project, pipes, "training")

    @graph_asset(
        "usage_embeddings",
        languages,
        code_versions,
        kinds=["pytorch", "lancedb"],
        condition=FOLLOW,
        child=child_retry(project),
        description=(
            "Vectors of the prompts in the usage window, and of benchmark dev questions where "
            "they stand in for usage."
        ),
    )
    def usage_embeddings(
        context: dg.AssetExecutionContext,
        project: ProjectResource,
        pipes: dg.PipesSubprocessClient,
    ) -> Events:
        yield _embed(Step(context, project, "usage_embeddings"), project, pipes, "usage")

    return [auxiliary_embeddings, auxiliary_catalogue, training_embeddings, usage_embeddings]


def _embed(
    step: Step, project: ProjectResource, pipes: dg.PipesSubprocessClient, role: str
) -> dg.MaterializeResult[Any]:
    """Encode what is missing in a child process; without anything missing no child is started."""
    from compass_core.embeddings.fingerprint import embedder_fingerprint
    from compass_core.embeddings.vector_store import VectorStore
    from compass_core.hashing import version_of
    from compass_core.stages.models import missing_vectors, texts_of

    ws = step.ws
    texts = texts_of(ws, role, step.partition)
    fingerprint = embedder_fingerprint(ws.project.embedder, ws.directory)
    missing = missing_vectors(ws, role, step.partition)
    if missing:
        step.report(f"encoding {missing} of {texts.height} texts")
        run_child(step.context, project, pipes, "encode", {"parts": [[role, step.partition]]})
    vectors = VectorStore(ws.store)
    left = len(vectors.missing(role, fingerprint, texts["content_hash"]))
    if left:
        raise dg.Failure(f"{left} of {texts.height} texts have no vector after encoding; run again")
    return step.finish(
        version_of([fingerprint, *(step.version(parent) for parent in _text_parents(step))]),
        summary=f"{texts.height} texts, {missing} newly encoded",
        facts={"texts": texts.height, "encoded": missing, "fingerprint": fingerprint},
        metadata={
            "dagster/row_count": texts.height,
            "encoded": missing,
            "reused": texts.height - missing,
            "table": f"{role}_{fingerprint}",
            "table_rows": vectors.count(role, fingerprint),
            "path": dg.MetadataValue.path(ws.store.uri("lance")),
            "embedder": ws.project.embedder.model,
            "fingerprint": fingerprint,
        },
    )


def _text_parents(step: Step) -> list[str]:
    """Parents whose text is embedded: the dev items count only where they stand in for usage."""
    from compass_core.stages.frames import uses_proxy

    unused = set() if uses_proxy(step.ws) else {"benchmark_items"}
    return [parent for parent in step.parents if parent not in unused]


def backlog_job(project: Project) -> dg.JobDefinition:
    """The job `encode_backlog`: all texts without a vector, in one child process."""

    @dg.op(
        description="Encode every text that has no vector yet, of all corpora, with one model.",
        pool=MODELS_POOL,
        retry_policy=child_retry(project),
    )
    def encode_backlog_op(
        context: dg.OpExecutionContext, project: ProjectResource, pipes: dg.PipesSubprocessClient
    ) -> None:
        _encode_backlog(context, project, pipes)

    @dg.job(
        name="encode_backlog",
        description="Encode all texts without a vector in one child process, before a bootstrap.",
    )
    def encode_backlog() -> None:
        encode_backlog_op()

    return encode_backlog


def _encode_backlog(
    context: dg.OpExecutionContext, project: ProjectResource, pipes: dg.PipesSubprocessClient
) -> None:
    from compass_core.stages.models import missing_vectors

    ws = project.workspace()
    manifests = ws.manifests
    parts = [("auxiliary", pool) for pool in manifests.partitions("auxiliary_corpus")]
    parts += [("training", name) for name in ws.targets if manifests.get("training_corpus", name)]
    parts += [("usage", name) for name in ws.targets if manifests.get("usage_window", name)]
    waiting = [(role, part) for role, part in parts if missing_vectors(ws, role, part)]
    if not waiting:
        context.log.info("every text has its vector")
        return
    done = run_child(context, project, pipes, "encode", {"parts": [list(part) for part in waiting]})
    text = f"{done['encoded']} texts encoded in {done['wall_s']:.1f} s"
    tell("encode_backlog", "all", text)
    context.log.info(text)
