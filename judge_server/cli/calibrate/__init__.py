"""``judge-server calibrate …``: measure a judge against people, fit its probabilities, certify it.

One file for each command family; what is heavy is imported when a command runs.
"""

import typer

from judge_server.cli.calibrate import fit, gate, report, run
from judge_server.cli.calibrate import labels as imports

app = typer.Typer(help="Measure judges against people: labels, agreement, fitted probabilities.", no_args_is_help=True)
app.command("import")(imports.import_labels)
app.command("list")(imports.list_labels)
app.command("report")(report.report)
app.command("disagreements")(report.disagreements)
app.command("compare")(report.compare)
app.command("run")(run.run)
app.command("fit")(fit.fit)
app.command("gate")(gate.gate)
