"""When the cheap chain refreshes itself: every condition, named, in one place.

Cheap means: no model is trained. The chain ingest, window, embed, cluster, assign, gap report runs
by itself; training starts by a person (job `retrain`) or by drift.

- ON_CODE_CHANGE: a root asset is read again when its code or settings changed. New files are the
  sensors' business (`sensors.py`), since Dagster cannot see a folder.
- FOLLOW: an asset follows its parents: when a parent has a new data version, or will get one in
  the same tick (so that the chain becomes one run a language), or when its own code version
  changed. Not while a parent is missing or on its way, and not twice at once. `eager()` is not
  used: it also reacts to parents that were materialized without changing.
"""

from typing import Any, TypeAlias

import dagster as dg

Condition: TypeAlias = dg.AutomationCondition[Any]

_CHANGED: Condition = dg.AutomationCondition.data_version_changed()
_COMING: Condition = dg.AutomationCondition.will_be_requested()
_CODE: Condition = dg.AutomationCondition.code_version_changed()
_NEW: Condition = dg.AutomationCondition.newly_missing()
_IDLE: Condition = ~dg.AutomationCondition.in_progress()

ON_CODE_CHANGE = (_CODE.since_last_handled() & _IDLE).with_label("its code or settings changed")

_PARENT_CHANGED: Condition = dg.AutomationCondition.any_deps_match(_CHANGED | _COMING)
_REASON: Condition = _NEW | _PARENT_CHANGED | _CODE

FOLLOW = (
    _REASON.since_last_handled().with_label("a parent has new data, or its own code changed")
    & (~dg.AutomationCondition.any_deps_missing()).with_label("all parents exist")
    & (~dg.AutomationCondition.any_deps_in_progress()).with_label("no parent is on its way")
    & _IDLE
).with_label("follow the parents")
