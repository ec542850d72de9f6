#!/usr/bin/env bash
# The step of action.yml: INPUT_* → `portcullis check` → annotations, files, outputs. Its exit code is that of check.
set -euo pipefail

flags=()
# In one word, so that a value which begins with a dash is a value.
flag() { [ -z "$2" ] || flags+=("$1=$2"); }
flag --config "$INPUT_CONFIG"
flag --profile "$INPUT_PROFILE"
flag --namespace "$INPUT_NAMESPACE"
flag --fail-on "$INPUT_FAIL_ON"
flag --against "$INPUT_AGAINST"
flag --baseline "$INPUT_BASELINE"
[ "$INPUT_ASSUME_COMPLETE" != true ] || flags+=(--assume-complete)

paths=()
while IFS= read -r path; do
  path=${path%$'\r'}
  case $path in
    '') ;;
    # Neither a flag nor standard input, which a step has none of.
    -*) paths+=("./$path") ;;
    *) paths+=("$path") ;;
  esac
done <<<"$INPUT_PATHS"
if [ "${#paths[@]}" = 0 ]; then
  echo '::error title=portcullis::The input "paths" is empty: give files or directories, one a line.'
  exit 2
fi

check() { bash "$GITHUB_ACTION_PATH/scripts/from-source.sh" check "${flags[@]}" --output "$1" -- "${paths[@]}"; }
# Once more in another form: what was said of it on the way has been said, and stands in the summary already.
again() { GITHUB_STEP_SUMMARY='' check "$1" 2>/dev/null; }
# The runner reads NAME=VALUE lines; a line break in a value would begin another output.
output() {
  local delimiter="end-$RANDOM$RANDOM$RANDOM"
  printf '%s<<%s\n%s\n%s\n' "$1" "$delimiter" "$2" "$delimiter" >>"$GITHUB_OUTPUT"
}

code=0
complaints=$(mktemp)
check github 2>"$complaints" || code=$?
cat -- "$complaints" >&2
output exit-code "$code"
# What keeps it from looking at all (a flag's value, a file that is not there) stands in no annotation of its own.
if [ "$code" = 2 ] && complaint=$(grep -m 1 '^portcullis: ' -- "$complaints"); then
  complaint=${complaint#portcullis: }
  complaint=${complaint//'%'/%25}
  printf '::error title=portcullis::%s\n' "${complaint//$'\r'/%0D}"
fi
rm -f -- "$complaints"

# Makes the folder, too, of a file that is asked for.
written() { mkdir -p -- "$(dirname -- "$2")" && { again "$1" >"$2" || true; } && [ -s "$2" ]; }
json=${INPUT_JSON_FILE:-$RUNNER_TEMP/portcullis.json}
if written json "$json"; then
  output json-file "$json"
  # Of nothing that was judged, not even that there are none.
  findings=$(node -p 'const { objects, findings } = JSON.parse(fs.readFileSync(process.argv[1], "utf8")).summary; objects > 0 ? findings : ""' "$json")
  [ -z "$findings" ] || output findings "$findings"
fi
if [ -n "$INPUT_SARIF_FILE" ] && written sarif "$INPUT_SARIF_FILE"; then
  output sarif-file "$INPUT_SARIF_FILE"
fi
exit "$code"
