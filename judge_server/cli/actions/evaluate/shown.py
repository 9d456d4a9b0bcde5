"""An evaluation as tables for people, or as JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import typer
from rich.console import Console
from rich.table import Table

from judge_server.cli.actions.evaluate.evaluating import EvaluatedModel, ModelsEvaluated
from judge_server.evaluation.versus import ScoreDifference
from judge_server.util.wording import many

_WIDE: Final = 160  # into a file or a pipe no name is cut


def show(found: ModelsEvaluated, *, as_json: bool) -> None:
    """Print it."""
    if as_json:
        typer.echo(json.dumps(_data(found)))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDE
    for model in found.models:
        _show_model(console, model, found)
    if len(found.models) > 1:
        _show_differences(console, found)


def _show_model(console: Console, model: EvaluatedModel, found: ModelsEvaluated) -> None:
    responses, rows = many(len(model.scored), "response"), many(found.rows, "row")
    console.print(f"\n{responses} ({model.source}) to {rows}, judged by {found.judge}")
    if model.means:
        table = Table(box=None, pad_edge=False)
        table.add_column("")
        for heading in ("score", "± bootstrap", "95 % interval", "responses", "prompts"):
            table.add_column(heading, justify="right")
        for one in model.means:
            bounds = _interval(one.low, one.high)
            table.add_row(
                one.name, f"{one.value:.4f}", f"{one.bootstrap_std:.4f}", bounds, str(one.n), str(one.prompts)
            )
        console.print(table)
        notes = dict.fromkeys(one.note for one in model.means if one.note)
        for note in notes:
            console.print(f"{sum(one.note == note for one in model.means)} with {note}")
    if model.mean_reward is not None:
        console.print(f"mean reward (with the judge's probabilities): {model.mean_reward:.4f}")
    for line in _lost(model):
        console.print(line)


def _lost(model: EvaluatedModel) -> list[str]:
    lines = []
    if failures := model.failures:
        lines.append(f"{many(failures.total(), 'response')} without a score, left out: {_counted(failures)}")
    if model.unwritten:
        lines.append(
            f"{many(model.unwritten.total(), 'row')} to which the model wrote nothing: {_counted(model.unwritten)}"
        )
    if model.bare:
        lines.append(f"{many(model.bare, 'row')} without a response, left out")
    if model.truncated:
        lines.append(f"ended by the token limit: {many(model.truncated, 'response')}; raise --max-tokens")
    return lines


def _show_differences(console: Console, found: ModelsEvaluated) -> None:
    first, second = (model.source for model in found.models)
    console.print(f"\n{first} less {second}, on rows that both answered")
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for heading in (first, second, "difference", "95 % interval", "higher", "lower", "rows"):
        table.add_column(heading, justify="right")
    for one in found.differences:
        value, bounds = one.difference.value or 0.0, _interval(one.difference.low, one.difference.high)
        counts = (str(one.higher), str(one.lower), str(one.difference.n))
        table.add_row(one.name, f"{one.first:.4f}", f"{one.second:.4f}", f"{value:+.4f}", bounds, *counts)
    console.print(table)
    console.print(_sentence(found.differences, first, second))


def _sentence(found: Sequence[ScoreDifference], first: str, second: str) -> str:
    if not found:
        return "No row has a score of both."
    overall = found[0]
    told = {
        "better": f"{first} is better than {second} overall",
        "worse": f"{first} is worse than {second} overall",
        "no clear difference": "There is no clear difference overall",
        "not enough evidence": f"Not enough evidence overall: {overall.difference.note}",
    }
    return f"{told[overall.conclusion]}. The other lines are not adjusted for their number."


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{low:.4f} to {high:.4f}"


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common())


def _data(found: ModelsEvaluated) -> dict[str, Any]:
    return {
        "rows": found.rows,
        "judge": found.judge,
        "models": [
            {
                "source": model.source,
                "responses": len(model.scored),
                "scores": {one.name: one.model_dump(exclude={"name"}) for one in model.means},
                "mean_reward": model.mean_reward,
                "without_score": dict(model.failures),
                "not_written": dict(model.unwritten),
                "without_response": model.bare,
                "truncated": model.truncated,
            }
            for model in found.models
        ],
        "differences": {
            one.name: {**one.model_dump(exclude={"name"}), "conclusion": one.conclusion} for one in found.differences
        },
    }
