"""What all pictures share: size, colours that work on light and dark pages, and the Markdown."""

import base64
import io
from collections.abc import Callable
from typing import Any

# Each has a contrast of at least 3 to 1 on white and on the UI's dark background.
USAGE, TRAINING, MIX, WARN, QUIET = "#2f7de0", "#cc7722", "#2a9d6f", "#d4493f", "#7d8794"
TEXT = "#7d8794"
MANY = (USAGE, TRAINING, MIX, "#a35bd6", "#c0598b", "#3f97ac", "#9a8a3c", WARN, QUIET)


def picture(
    alt: str, draw: Callable[[Any], None], *, width_in: float = 8.0, height_in: float = 3.2
) -> str:
    """Markdown with one inline PNG; `draw` fills the axes. The background is transparent."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    coloured = ("text.color", "xtick.color", "ytick.color", "axes.labelcolor", "axes.edgecolor")
    colours: Any = dict.fromkeys(coloured, TEXT)
    with plt.rc_context(colours):
        figure, axes = plt.subplots(figsize=(width_in, height_in), dpi=90)
        try:
            axes.tick_params(labelsize=8)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
            draw(axes)
            axes.title.set_fontsize(10)
            legend = axes.get_legend()
            if legend is not None:
                legend.set_frame_on(False)
            figure.tight_layout()
            buffer = io.BytesIO()
            # A legend beside the axes counts as well.
            figure.savefig(buffer, format="png", transparent=True, bbox_inches="tight")
        finally:
            plt.close(figure)
    return f"![{alt}](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"


def per_cent(axis: Any) -> None:
    """Ticks of an axis that holds shares from 0 to 1."""
    axis.set_major_formatter(lambda share, place: f"{100 * share:g} %")


def nothing(axes: Any, why: str) -> None:
    """Say in the picture that there is nothing to show yet."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, why, ha="center", va="center", transform=axes.transAxes)
