#!/usr/bin/env bash
# Starts a server, trains, draws the run, and stops the server: examples/grpo_smollm2/run.sh [--steps 45 --out FOLDER …]
# JUDGE_SERVER: the command of the server. TRAINER_PYTHON: a Python that has requirements.txt; else .venv-grpo is made.
# CHECKPOINT: a directory with SmolLM2-135M-Instruct; else examples/smollm2.py makes it. RUBRIC, RUBRICS: other ones.
# AFTER: a program that is run with the folder while the server is still up.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
server=${JUDGE_SERVER:-$root/.venv/bin/judge-server}
python=${TRAINER_PYTHON:-$root/.venv-smollm2/bin/python}
checkpoint=${CHECKPOINT:-$root/.real-model/smollm2}
rubrics=${RUBRICS:-$here}
rubric=${RUBRIC:-examples/short_question}
port=${PORT:-8756}

if [[ ! -x $python ]]; then
    echo "Making $root/.venv-smollm2 for the trainer …"
    python3 -m venv "$root/.venv-smollm2"
    "$python" -m pip install --quiet --requirement "$here/requirements.txt" --editable "$root/clients"
fi
[[ -n ${CHECKPOINT:-} ]] || "$python" "$root/examples/smollm2.py" "$checkpoint"

out=$rubrics/out
for ((n = 1; n < $#; n++)); do
    if [[ ${!n} == --out ]]; then next=$((n + 1)) && out=${!next}; fi
done
mkdir -p "$out"
rm -f "$out"/judgments.db*

"$server" serve --model baseline --rubrics "$rubrics" --database "sqlite:///$out/judgments.db" --port "$port" &
serving=$!
trap 'kill $serving 2>/dev/null; wait $serving 2>/dev/null || true' EXIT
export JUDGE_URL=http://127.0.0.1:$port
for ((tries = 0; tries < 240; tries++)); do
    kill -0 $serving 2>/dev/null || { echo "The server did not start: is $server installed (make install), and port $port free (PORT=…)?" >&2; exit 1; }
    "$python" -c "import httpx; httpx.get('$JUDGE_URL/readyz').raise_for_status()" 2>/dev/null && break
    sleep 0.5
done

"$python" "$here/train.py" --model "$checkpoint" --rubric "$rubric" "$@" --out "$out"
"$python" "$here/draw.py" "$out"
[[ -z ${AFTER:-} ]] || "$python" "$AFTER" "$out"
