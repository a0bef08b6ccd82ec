"""Conditions C of a guarantee, in words."""

from __future__ import annotations

from collections.abc import Iterator

from results.guarantee.answer import Conditions
from results.guarantee.wording import Section
from stripelab.units import capacity, date, pct


def terms(found: Conditions) -> list[Section]:
    """Hardware and system, storage stack with the commands that make it, workload with its command."""
    return [
        Section("Conditions: hardware and system", tuple(_machine(found))),
        Section("Conditions: storage stack", tuple(_stack(found)), found.apply_commands),
        Section("Conditions: workload", tuple(_workload(found)), (found.command,)),
    ]


def _machine(found: Conditions) -> Iterator[str]:
    """Each disk with model, firmware and size; the machine, the system, the tools."""
    env = found.environment
    if env is None:
        return
    described = zip(env.disk_ids, env.disk_models, env.disk_firmwares, env.disk_sizes_bytes, strict=False)
    known = {serial: (model, firmware, size) for serial, model, firmware, size in described}
    for serial in found.disk_ids:
        model, firmware, size = known.get(serial, ("", "", 0))
        what = f"{model or 'model not known'}, firmware {firmware or 'not known'}"
        yield f"Disk {serial}: {what}, {capacity(size) if size else 'size not known'}."
    governor = f", governor {env.cpu_governor}" if env.cpu_governor else ""
    memory = capacity(env.memory_bytes)
    yield (
        f"Machine: {env.cpus} CPUs, {env.cpu_model}{governor}, {memory} of memory; substrate {env.substrate}; "
        f"environment {env.environment_id}."
    )
    yield f"System: {env.os_release}, kernel {env.kernel}, {env.architecture}."
    yield f"Tools: {', '.join(env.tools)}; stripelab {', '.join(found.stripelab_versions)}."


def _stack(found: Conditions) -> Iterator[str]:
    """Settings, state of the array, fill level."""
    yield f"Settings: {found.label} (point {found.point_id}); first resync: {found.initial_sync or 'none'}."
    yield f"State of the array: {found.array_state}."
    if found.fill_pct is not None and found.dataset_bytes is not None and found.usable_bytes is not None:
        yield (
            f"Fill level: {capacity(found.dataset_bytes)} of files, {pct(found.fill_pct)} of a usable "
            f"{capacity(found.usable_bytes)}."
        )
    if found.disk_iops_limit is not None:
        yield f"Every disk was throttled to {found.disk_iops_limit} IOPS."


def _workload(found: Conditions) -> Iterator[str]:
    """The workload, what came before it was measured, and when all of it was done."""
    asked = found.workload_asked or {}
    words = ", ".join(
        f"{name} = {value}" for name, value in asked.items() if name not in {"precondition", "steady_state", "options"}
    )
    options = ", ".join(f"{name} = {value}" for name, value in (asked.get("options") or {}).items())
    yield f"Workload: {words or 'not recorded'}{f'; options {options}' if options else ''}. Engine: {found.engine}."
    yield f"Warm-up: {found.warm_up}. Protocol {found.protocol_id}."
    yield f"Steady state, by the rule ({found.steady_rule}): {found.steady_verdict}."
    yield f"Measured from {date(found.first_run_ns)} to {date(found.last_run_ns)}."
    if found.warnings:
        yield f"The tools warned: {'; '.join(found.warnings)}."
    yield "The command of the engine, as in the first run:"
