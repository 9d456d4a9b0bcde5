#!/usr/bin/env bash
# Trains as examples/grpo_smollm2 does, against a rubric that a word counter decides, and asks the alarms about the run.
# Options and variables are those of examples/grpo_smollm2/run.sh. Ends with 0 if the alarms caught it, with 3 if there
# was none, and else with the status of what failed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
server=${JUDGE_SERVER:-$root/.venv/bin/judge-server}
export RUBRICS=$here RUBRIC=examples/keyword_bait AFTER=$here/alarms.py

out=$here/out
for ((n = 1; n < $#; n++)); do
    if [[ ${!n} == --out ]]; then next=$((n + 1)) && out=${!next}; fi
done

# counts STATUS COMMAND…: caught=1 if the command ends with STATUS, which says "alarm"; ends this program if it failed.
caught=0
counts() {
    local alarm=$1 status=0
    shift
    "$@" || status=$?
    if [[ $status == "$alarm" ]]; then caught=1; elif [[ $status != 0 ]]; then exit "$status"; fi
}

counts 10 "$root/examples/grpo_smollm2/run.sh" --run reward-hacking --steps 48 "$@"
counts 1 "$server" monitor --config "$here/monitor.toml" --database "sqlite:///$out/judgments.db" --rubric "$RUBRIC" --all --exit-code
[[ $caught == 1 ]] || { echo "No alarm: this run did not collapse." >&2; exit 3; }
