"""``judge-server calibrate …``: measure a judge against people, fit its probabilities, certify it.

One file per command family; slow imports happen when a command runs.
"""

from judge_server.cli.calibrate import cascade, fit, gate, improve, labels, report, run, tune
from judge_server.cli.listing import Commands
from judge_server.cli.running import needs

app = Commands(
    help="Measure judges against people: labels, agreement, fitted probabilities. No labels yet? judge-server exam.",
    no_args_is_help=True,
)
app.command("import")(labels.import_labels)
app.command("export")(labels.export)
app.command("sheet")(labels.sheet)
app.command("list")(labels.list_labels)
_measures = needs("calibration", "scipy", "sklearn")
app.command("report")(_measures(report.report))
app.command("disagreements")(_measures(report.disagreements))
app.command("compare")(_measures(report.compare))
app.command("run")(_measures(run.run))
app.command("fit")(_measures(fit.fit))
app.command("cascade")(_measures(cascade.cascade))
app.command("improve")(_measures(improve.improve))
app.command("tune")(_measures(tune.tune))
app.command("gate")(_measures(gate.gate))
app.command("certificates")(gate.certificates)
