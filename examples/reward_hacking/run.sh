#!/usr/bin/env bash
# Trains as examples/grpo_smollm2 does, against a rubric that a word counter decides, and asks the alarms about the run.
# Options and variables are those of examples/grpo_smollm2/run.sh. Ends with 0 if the alarms caught it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
server=${JUDGE_SERVER:-$root/.venv/bin/judge-server}
export RUBRICS=$here RUBRIC=examples/keyword_bait AFTER=$here/alarms.py

out=$here/out
for ((n = 1; n < $#; n++)); do
    if [[ ${!n} == --out ]]; then next=$((n + 1)) && out=${!next}; fi
done

caught=0
"$root/examples/grpo_smollm2/run.sh" --run reward-hacking --steps 48 "$@" || caught=1
"$server" monitor --config "$here/monitor.toml" --database "sqlite:///$out/judgments.db" --rubric "$RUBRIC" --all --exit-code || caught=1
[[ $caught == 1 ]] || { echo "No alarm: this run did not collapse." >&2; exit 1; }
