"""Writes thresholds.toml anew from a report: each metric is held at its bar, or just below what was measured."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from evals.gate import SLACK, Measured, Threshold

HEADER = """# What `python -m evals gate` holds a report to. Each entry is the bar itself (quality-bars.md), or, where the bar is missed or
# there is none, the measured value with a slack of .01, with the bar and the reason beside it.
# `python -m evals settle REPORT.json` moves the values after a deliberate change; the reasons are written by hand.
"""
UNKNOWN = "why it falls short of the bar is not known yet"
DECIMALS = 4


def settle(wanted: Sequence[Threshold], measured: Measured) -> list[Threshold]:
    """The thresholds as this report would have them; those of sets that are not in it stay."""
    return [_settled(threshold, measured) for threshold in wanted]


def write(wanted: Sequence[Threshold], file: Path) -> None:
    """Store them, set by set, in the order given."""
    parts = [HEADER]
    for name, members in groupby(wanted, key=lambda threshold: threshold.set):
        parts += [f'\n["{name}"]\n', *(f'"{member.metric}" = {_entry(member)}\n' for member in members)]
    file.write_text("".join(parts), encoding="utf-8")


def _settled(threshold: Threshold, measured: Measured) -> Threshold:
    found = measured.get(threshold.set, {}).get(threshold.metric)
    if found is None:
        return threshold
    high = threshold.at_least is not None
    if threshold.bar is not None and (found.value >= threshold.bar if high else found.value <= threshold.bar):
        limit, value, reason = threshold.bar, None, ""
    else:
        value = _towards_worse(found.value, high=high)
        limit, reason = round(value - SLACK if high else value + SLACK, DECIMALS), threshold.reason or UNKNOWN
    return replace(threshold, at_least=limit if high else None, at_most=None if high else limit, measured=value, reason=reason)


def _towards_worse(value: float, *, high: bool) -> float:
    """Rounded so that the report it comes from still passes."""
    scale = 10.0**DECIMALS
    return float(math.floor(value * scale) if high else math.ceil(value * scale)) / scale


def _entry(threshold: Threshold) -> str:
    values = {"at_least": threshold.at_least, "at_most": threshold.at_most, "bar": threshold.bar, "measured": threshold.measured}
    parts = [f"{name} = {value:g}" for name, value in values.items() if value is not None]
    if threshold.reason:
        quoted = threshold.reason.replace("\\", "\\\\").replace('"', '\\"')
        parts.append(f'reason = "{quoted}"')
    return "{ " + ", ".join(parts) + " }"
