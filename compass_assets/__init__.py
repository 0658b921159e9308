"""The Dagster layer: assets, checks, sensors and jobs over `compass_core`."""

import logging
import warnings

# Dagster says at every start which parts of its API may still change, and transformers which of its
# own attributes will. Pinned ranges and tests answer for that; users can do nothing about it.
warnings.filterwarnings("ignore", message=r".* is currently in (beta|preview)")
warnings.filterwarnings("ignore", message=r"`is_gradient_checkpointing` is deprecated")
# peft imports bitsandbytes where it is installed, which says on a CPU that a faster kernel is not.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
