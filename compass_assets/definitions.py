"""The code location: the definitions of the project that this process was started in."""

import dagster as dg

from compass_assets.build import build_defs
from compass_assets.location import find_project

defs: dg.Definitions = build_defs(find_project())
