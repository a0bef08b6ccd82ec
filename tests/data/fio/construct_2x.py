"""Make the documents of fio 2.x in tests/data/fio/2.*: constructed, not recorded.

No fio 2.x can be installed beside a current system, so its form is taken from what is documented of it (fio's
HOWTO and stat.c of the versions, and published documents), and filled with the figures of a recording of a
current fio: KiB in ``io_bytes``, whole microseconds in ``slat``, ``clat`` and ``lat``, percentiles filled up with
``"0.00"``; 2.1.11 has neither times nor options nor a count of I/Os, 2.2.10 has times and counts, 2.10 options too.

Usage: python tests/data/fio/construct_2x.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RECORDED = HERE / "3.33" / "clat-by-default.json"
TIMES = (1480611510, "Thu Dec  1 16:58:30 2016")


class Pairs(list[tuple[str, Any]]):
    """An object whose keys may come twice."""


def text(value: Any, indent: int = 0) -> str:
    """As fio prints it: a blank before each colon, two more spaces for each level."""
    inner, outer = " " * (indent + 2), " " * indent
    if isinstance(value, (dict, Pairs)):
        pairs = value.items() if isinstance(value, dict) else value
        lines = [f'{inner}"{key}" : {text(each, indent + 2)}' for key, each in pairs]
        return "{\n" + ",\n".join(lines) + f"\n{outer}}}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(f"{inner}{text(each, indent + 2)}" for each in value) + f"\n{outer}]"
    return f"{value:.2f}" if isinstance(value, float) else json.dumps(value)


def latency(found: dict[str, Any], *, percentiles: bool) -> dict[str, Any]:
    made: dict[str, Any] = {
        "min": found["min"] // 1000,
        "max": found["max"] // 1000,
        "mean": found["mean"] / 1000,
        "stddev": found["stddev"] / 1000,
    }
    if percentiles:
        kept = [(key, value // 1000) for key, value in found.get("percentile", {}).items()]
        made["percentile"] = Pairs([*kept, *[("0.00", 0)] * (20 - len(kept))])
    return made


def direction(found: dict[str, Any], *, counts: bool) -> dict[str, Any]:
    made = {
        "io_bytes": found["io_bytes"] // 1024,
        "bw": found["bw"],
        "iops": found["iops"] if counts else int(found["iops"]),
        "runtime": found["runtime"],
    }
    if counts:
        made |= {"total_ios": found["total_ios"], "short_ios": 0, "drop_ios": 0}
    made["slat"] = latency(found["slat_ns"], percentiles=False)
    made["clat"] = latency(found["clat_ns"], percentiles=True)
    made["lat"] = latency(found["lat_ns"], percentiles=False)
    return made | {"bw_min": found["bw_min"], "bw_max": found["bw_max"], "bw_agg": 100.0, "bw_mean": found["bw_mean"]}


def document(recorded: dict[str, Any], version: str) -> dict[str, Any]:
    timed, optioned = version != "2.1.11", version == "2.10"
    made: dict[str, Any] = {"fio version": f"fio-{version}"}
    if timed:
        made |= {"timestamp": TIMES[0], "time": TIMES[1]}
    if optioned:
        made["global options"] = {"ioengine": "libaio", "direct": "1", "iodepth": "4"}
    made["jobs"] = []
    for found in recorded["jobs"]:
        job: dict[str, Any] = {"jobname": found["jobname"], "groupid": 0, "error": 0}
        if timed:
            job |= {"eta": 0, "elapsed": 1}
        if optioned:
            job["job options"] = {"bs": "4k", "rw": "randwrite", "filename": "/dev/sdb"}
        job |= {name: direction(found[name], counts=timed) for name in ("read", "write", "trim")}
        made["jobs"].append(job | {"usr_cpu": found["usr_cpu"], "sys_cpu": found["sys_cpu"], "ctx": found["ctx"]})
    made["disk_util"] = []
    return made


def main() -> None:
    recorded = json.loads(RECORDED.read_text())
    for version in ("2.1.11", "2.2.10", "2.10"):
        folder = HERE / version
        folder.mkdir(exist_ok=True)
        (folder / "constructed.json").write_text(text(document(recorded, version)) + "\n")


if __name__ == "__main__":
    main()
