"""Does the chosen strategy beat the others? Measured on held-out items, on demand."""

import base64
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from compass_assets.child import run_child
from compass_assets.describe import child_retry, graph_asset
from compass_assets.partitions import language_partitions
from compass_assets.preview import table
from compass_assets.resources import ProjectResource
from compass_assets.step import Events, Step
from compass_core import layout
from compass_core.benchmarks.effects import effects_plot, strategy_effects
from compass_core.config.schema import Project
from compass_core.hashing import version_of
from compass_core.stages.comparison import REFERENCE

SHOWN = {
    "strategy": "strategy",
    "runs": "runs",
    "mean": "mean %",
    "low": "from",
    "high": "to",
    "difference": f"points against {REFERENCE}",
    "difference_low": "from ",
    "difference_high": "to ",
    "cohens_d": "Cohen's d",
    "p_value": "p",
    "p_holm": "p, Holm",
}
READING = (
    "Means and intervals (95 %) are over seeds: what another training of the same strategy would "
    "give. p exchanges the two strategies within seeds; with n seeds it is never below 2 / 2^n. "
    "With one seed only the table of runs and the picture's bars say something: their intervals, "
    "and p of the runs, are over items, for the adapters at hand."
)


class ComparisonConfig(dg.Config):
    """Which strategies are trained beside `random`, and with which seeds."""

    strategies: list[str] = Field(
        default_factory=lambda: ["none", "gap_waterfill"], description="Beside `random`."
    )
    seeds: list[int] = Field(
        default_factory=lambda: [17],
        description="One training a strategy and seed; intervals over runs and Cohen's d need two.",
    )


def build(project: Project, code_versions: dict[str, str]) -> list[dg.AssetsDefinition]:
    @graph_asset(
        "strategy_comparison",
        language_partitions(project),
        code_versions,
        kinds=["pytorch"],
        child=child_retry(project),
        description=(
            "Sampling strategies side by side: the same budget, training code and held-out items. "
            "Nothing depends on it."
        ),
    )
    def strategy_comparison(
        context: dg.AssetExecutionContext,
        config: ComparisonConfig,
        project: ProjectResource,
        pipes: dg.PipesSubprocessClient,
    ) -> Events:
        step = Step(context, project, "strategy_comparison")
        figures = run_child(
            context,
            project,
            pipes,
            "compare",
            {
                "language": step.partition,
                "strategies": config.strategies,
                "seeds": config.seeds,
            },
        )
        frame = step.ws.store.read_parquet(layout.comparison(step.partition))
        effects = strategy_effects(frame, REFERENCE)
        best = effects.row(0, named=True)
        base = float(frame["base_accuracy"][0])
        yield step.finish(
            version_of(figures),
            summary=_summary(best, frame),
            facts={"effects": effects.to_dicts(), "base_accuracy": base},
            pictures={"picture": _picture(frame, effects, base, step.partition)},
            metadata={
                "strategies": table(_in_points(effects), list(SHOWN.values()), 20),
                "how_to_read": READING,
                "runs": table(
                    frame,
                    [
                        "strategy",
                        "seed",
                        "sampled_rows",
                        "sampled_tokens",
                        "jsd_bits_after",
                        "accuracy",
                        "difference_points",
                        "low_points",
                        "high_points",
                        "p_value",
                    ],
                    60,
                ),
                "items": int(frame["items"][0]),
                "base_accuracy": base,
                "jsd_bits_before": float(frame["jsd_bits_before"][0]),
                "path": dg.MetadataValue.path(step.ws.store.uri(layout.comparison(step.partition))),
            },
        )

    return [strategy_comparison]


def _summary(best: dict[str, Any], frame: pl.DataFrame) -> str:
    text = f"best: {best['strategy']} {100 * best['mean']:.1f} %"
    if best["difference"] is None:
        return f"{text}; nothing beats {REFERENCE}"
    text += f", {100 * best['difference']:+.1f} points against {REFERENCE}"
    seeds = frame["seed"].n_unique()
    if seeds == 1:
        return f"{text} (one seed)"
    return f"{text} over {seeds} seeds, d {best['cohens_d']:.2f}, p {best['p_value']:.4f}"


def _in_points(effects: pl.DataFrame) -> pl.DataFrame:
    """The table people read: per cent and points, the columns named so."""
    hundredfold = ("mean", "low", "high", "difference", "difference_low", "difference_high")
    return effects.with_columns(pl.col(hundredfold) * 100).select(
        pl.col(name).alias(shown) for name, shown in SHOWN.items()
    )


def _picture(frame: pl.DataFrame, effects: pl.DataFrame, base: float, language: str) -> str:
    png = effects_plot(
        frame, effects, line=("base model", base), title=f"{language}: same budget, same training"
    )
    return f"![strategies](data:image/png;base64,{base64.b64encode(png).decode()})"
