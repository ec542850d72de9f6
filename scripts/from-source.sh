#!/usr/bin/env bash
# portcullis as it stands in this checkout, for pre-commit and the GitHub Action, which clone it. What it needs is installed
# once, pinned by the lockfile, and none of it runs a script.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 24 || (major === 24 && minor >= 18) ? 0 : 1)' 2>/dev/null || {
  echo "portcullis: Node 24.18 or newer is needed; $(node --version 2>/dev/null | sed 's/^/this is /' | grep . || echo 'there is none in the PATH')." >&2
  exit 2
}
# npm writes this file when all the rest is in place.
if [ ! -e "$root/node_modules/.package-lock.json" ]; then
  log=$(npm --prefix "$root" ci --omit=dev --ignore-scripts --no-audit --no-fund 2>&1) || {
    printf '%s\nportcullis: the packages of its lockfile cannot be installed.\n' "$log" >&2
    exit 2
  }
fi
exec node "$root/src/main.ts" "$@"
