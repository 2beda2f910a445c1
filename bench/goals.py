"""The goals, and whether the figures meet them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench import bare, drayage, metrics, plain, redirect
from bench.containers import MEBIBYTE
from bench.figures import clients, table
from bench.sides import POD, PUBLIC
from regmirror.workloads.quantities import parse_quantity

Result = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What was measured, in words, and whether that meets the goal."""

    words: str
    met: bool


@dataclass(frozen=True)
class Goal:
    """A goal of one measurement, in words."""

    measurement: str
    words: str
    judge: Callable[[Result], Verdict]


def goals_table(results: Mapping[str, Result]) -> str:
    """A row for each goal of what was measured."""
    rows = [
        (goal.words, verdict.words, "yes" if verdict.met else "**no**")
        for goal in GOALS
        if goal.measurement in results
        for verdict in [goal.judge(results[goal.measurement])]
    ]
    return table(["goal", "result", "met"], rows)


def _at_most(limit: float, figures: Mapping[str, float], unit: str = "") -> Verdict:
    return Verdict(_listed(figures, unit), max(figures.values()) <= limit)


def _at_least(limit: float, figures: Mapping[str, float], unit: str = "") -> Verdict:
    return Verdict(_listed(figures, unit), min(figures.values()) >= limit)


def _listed(figures: Mapping[str, float], unit: str) -> str:
    return "; ".join(f"{name}: {figure:.3g}{unit}" for name, figure in figures.items())


def _largest_herd(result: Result) -> Result:
    found: Result = result["herds"][max(result["herds"], key=int)]
    return found


def _ours(sides: Result, key: str) -> dict[str, float]:
    return {side: sides[side][key]["median"] for side in (PUBLIC, POD)}


def _herd_at_the_pod(result: Result) -> Verdict:
    seconds = {side: _largest_herd(result)[side]["seconds"]["median"] for side in (POD, drayage.NAME)}
    return Verdict(_listed(seconds, " s"), seconds[POD] < seconds[drayage.NAME])


def _herd_in_public(result: Result) -> Verdict:
    found = _largest_herd(result)[PUBLIC]
    times = found["new / cached"]["median"]
    new, cached = (f"{found[key]['median']:.3g} s" for key in ("seconds", "cached"))
    return Verdict(f"{times:.2f}, the median of all rounds; {new} and {cached}, the medians of each", times <= 1.1)


def _missing(result: Result) -> Verdict:
    cases = result["cases"]
    seconds = {case: max(_ours(sides, "seconds").values()) for case, sides in cases.items()}
    return _at_most(result["goal"], seconds, " s")


def _layer_cpu(result: Result) -> Verdict:
    used = {
        side: {clients(count): result["clients"][count][side]["CPU s/GB"]["median"] for count in ("1", "8")}
        for side in (POD, plain.NAME)
    }
    verdict = _at_most(0.3, used[POD])
    return Verdict(f"{verdict.words}. {plain.NAME}: {_listed(used[plain.NAME], '')}", verdict.met)


def _layer_speed(result: Result) -> Verdict:
    ratios = {
        clients(count): found[POD]["MB/s"]["median"] / found[bare.NAME]["MB/s"]["median"]
        for count, found in result["clients"].items()
    }
    return _at_least(1.0, ratios)


def _manifests_at_the_pod(result: Result) -> Verdict:
    kinds = result["kinds"]
    return _at_least(0.5, {kind: f[POD]["median"] / f[drayage.NAME]["median"] for kind, f in kinds.items()})


def _manifests_in_public(result: Result) -> Verdict:
    ratios = {
        f"{kind}, {side}": found[PUBLIC]["median"] / found[side]["median"]
        for kind, found in result["kinds"].items()
        for side in found
        if side.endswith(", Ingress") and found[side]
    }
    return _at_least(1.0, ratios) if ratios else Verdict("no other cache works there", met=True)


def _shared_base(result: Result) -> Verdict:
    sent, unique = result["sides"][PUBLIC], result["unique"]
    return Verdict(f"{sent:g} MB of {unique:g} MB", sent <= 1.05 * unique)


def _memory(result: Result) -> Verdict:
    restarts = sum(found["restarts"] for found in result["containers"].values())
    served = "all clients are served" if result["slow clients are served"] else "some clients are not served"
    limits = {name: float(parse_quantity(found["limit"])) / MEBIBYTE for name, found in result["containers"].items()}
    shares = {name: result["containers"][name]["slow readers"] / limit for name, limit in limits.items()}
    fullest = max(shares, key=lambda name: shares[name])
    return Verdict(
        f"{restarts} restarts; {served}; {fullest} uses {shares[fullest]:.0%} of its limit",
        restarts == 0 and result["slow clients are served"] and shares[fullest] < 1,
    )


def _recipe(result: Result) -> Verdict:
    ratios = [
        found["regmirror"]["requests/s"]["median"] / found["seed"]["requests/s"]["median"]
        for kind in ("manifest by tag", "manifest by digest")
        for found in result[kind].values()
    ]
    return Verdict(f"{min(ratios):.3g} to {max(ratios):.3g} times", min(ratios) >= 2)


def _redirect(result: Result) -> Verdict:
    ratios = {
        clients(count): found[redirect.REDIRECT]["MB/s"]["median"] / found[redirect.S3]["MB/s"]["median"]
        for count, found in result["blob"].items()
    }
    return _at_least(0.9, ratios)


def _cold(result: Result) -> Verdict:
    speeds = result["speeds"].items()
    return _at_most(result["goal"], {speed: found["ratio"] for speed, found in speeds if speed != "unlimited"})


def _deploy(result: Result) -> Verdict:
    ours, recipe = (result["figures"][name]["median"] for name in ("regmirror deploy", "recipe script"))
    return Verdict(f"{ours / recipe:.2f}: {ours:.3g} s instead of {recipe:.3g} s", ours / recipe <= result["goal"])


def _commands(result: Result) -> Verdict:
    return _at_most(2.0, {name: result["figures"][name]["seconds"]["median"] for name in ("deploy", "diff")}, " s")


def _help(result: Result) -> Verdict:
    return _at_most(250, {"`--help`": result["commands"]["regmirror --help"]["median"]}, " ms")


def _metrics(result: Result) -> Verdict:
    return _at_least(result["goal"], {kind: metrics.of_plain(found) for kind, found in result["kinds"].items()})


GOALS = [
    Goal(
        "herd",
        "100 clients, one new layer: it leaves the upstream once",
        lambda result: _at_most(1.1, _ours(_largest_herd(result), "layers")),
    ),
    Goal("herd", "the same at the pod: faster than drayage", _herd_at_the_pod),
    Goal("herd", "the same at the public host: at most 1.1 times as long as from the cache", _herd_in_public),
    Goal(
        "herd",
        "the same: half of the clients have the first byte within 1 s",
        lambda result: _at_most(1.0, _ours(_largest_herd(result), "first byte"), " s"),
    ),
    Goal(
        "new-tag",
        "200 clients, one new tag: one GET of a manifest at the upstream",
        lambda result: _at_most(1.0, _ours(result["sides"], "manifest GET")),
    ),
    Goal("missing", "32 clients, a tag that nobody can pull: all are answered within 0.5 s", _missing),
    Goal("warm-layer", "cached layer at the pod: at most 0.3 CPU seconds per GB", _layer_cpu),
    Goal("warm-layer", "the same: at least the speed of a bare registry", _layer_speed),
    Goal("manifests", "cached manifests at the pod: at least half the rate of drayage", _manifests_at_the_pod),
    Goal("manifests", "the same through the Ingress: at least the rate of other caches", _manifests_in_public),
    Goal("shared-base", "images that share a base: each layer leaves the upstream once", _shared_base),
    Goal("memory", "100 clients that read slowly: no container is restarted, and each stays below its limit", _memory),
    Goal("pulls", "manifests by tag and by digest: at least 2 times the rate of the recipe", _recipe),
    Goal("redirect", "layers with `redirect`: at least 0.9 of S3 through the same Ingress", _redirect),
    Goal("cold", "cold pull at the speed of a line: at most 1.1 of the upstream itself", _cold),
    Goal("deploy", "`deploy` from an empty namespace: at most 0.5 of the recipe's script", _deploy),
    Goal("commands", "a deploy that changes nothing, and `diff`: at most 2 s", _commands),
    Goal("metrics", "metrics: at least 0.98 of the throughput without them, for the same CPU time", _metrics),
    Goal("startup", "`--help`: at most 250 ms", _help),
]
