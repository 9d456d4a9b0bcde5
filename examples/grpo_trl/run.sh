#!/usr/bin/env bash
# Starts a server, trains, plots, and stops the server: examples/grpo_trl/run.sh [--steps 80 --out FOLDER …]
# JUDGE_SERVER: the command of the server. TRAINER_PYTHON: a Python that has requirements.txt; else .venv-grpo is made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
server=${JUDGE_SERVER:-$root/.venv/bin/judge-server}
python=${TRAINER_PYTHON:-$root/.venv-grpo/bin/python}
port=${PORT:-8755}

if [[ ! -x $python ]]; then
    echo "Making $root/.venv-grpo for the trainer …"
    python3 -m venv "$root/.venv-grpo"
    "$python" -m pip install --quiet --requirement "$here/requirements.txt" --editable "$root/clients"
fi

out=$here/out
for ((n = 1; n < $#; n++)); do
    if [[ ${!n} == --out ]]; then next=$((n + 1)) && out=${!next}; fi
done

"$server" serve --model baseline --rubrics "$here" --database sqlite:// --port "$port" &
serving=$!
trap 'kill $serving 2>/dev/null; wait $serving 2>/dev/null || true' EXIT
export JUDGE_URL=http://127.0.0.1:$port
for ((tries = 0; tries < 120; tries++)); do
    kill -0 $serving 2>/dev/null || { echo "The server did not start: is $server installed (make install), and port $port free (PORT=…)?" >&2; exit 1; }
    "$python" -c "import httpx; httpx.get('$JUDGE_URL/readyz').raise_for_status()" 2>/dev/null && break
    sleep 0.5
done

"$python" "$here/train.py" "$@" --out "$out"
"$python" "$here/plot.py" "$out"
