#!/usr/bin/env bash
# Build sdist and wheel (the wheel from the sdist), then install the wheel with the core dependencies alone into an empty
# environment of each Python named, and try what the light package promises. No output goes
# through head: a command whose reader ends before it does has failed. Usage: check_release.sh [python3.11 python3.12 ...]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
builder=${BUILDER:-python3}
cd "$root"
rm -rf dist
"$builder" -m build --no-isolation --outdir dist . >/dev/null
wheel=$(ls "$root"/dist/*.whl)

echo "$wheel: every file of src/esi_triage is in it"
diff <(git ls-files src/esi_triage | sed 's|^src/||' | sort) \
  <("$builder" -m zipfile -l "$wheel" | awk '{print $1}' | grep '^esi_triage/' | sort)

for python in "${@:-python3}"; do
  command -v "$python" >/dev/null || { echo "$python is not on this machine: not tried"; continue; }
  room=$(mktemp -d)
  trap 'rm -rf "$room"' EXIT
  "$python" -m venv "$room/fetching"
  "$room/fetching/bin/python" -m pip wheel --quiet --disable-pip-version-check --constraint constraints.txt \
    --wheel-dir "$room/wheels" "$wheel"
  SECONDS=0 # from nothing, after download
  "$python" -m venv "$room/venv"
  "$room/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "$room/wheels" esi-triage
  (
    cd "$room"
    esi=$room/venv/bin/esi
    ! venv/bin/python -c 'import torch' 2>/dev/null || { echo "the light package brought PyTorch"; exit 1; }
    "$esi" triage --quiet "54 y/o M, chest pain radiating to the left arm, sweating. BP 150/90, HR 104" | grep '^ESI 2'
    echo "first answer after $SECONDS s"
    "$esi" --help >/dev/null
    venv/bin/python -m esi_triage --version
    ! "$esi" reward audit v45c >/dev/null || { echo "the audit of v45c found no error"; exit 1; }
    "$esi" data build notes --quiet -o notes.parquet >/dev/null
    printf '{"case_id": "a", "narrative": "ankle sprain", "gold": 4}\n' >cases.jsonl
    printf 'case_id,level\na,4\n' >predictions.csv
    "$esi" evaluate --predictions predictions.csv --cases cases.jsonl --output evaluated --quiet >/dev/null
    test -s evaluated/report.html
  )
  rm -rf "$room"
  echo "$("$python" --version): the light package works"
done
