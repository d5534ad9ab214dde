#!/usr/bin/env bash
# vulncheck.sh [GOVULNCHECK ARGUMENT]...  runs govulncheck, which needs its database from the network.
#
#   no known vulnerability            0
#   vulnerabilities found             3, as govulncheck itself says it
#   the database cannot be reached    0 with a warning: the check was not made, and the last line says so
#   anything else went wrong          govulncheck's own status
#
# VULNDB=URL reads another database (file:///… for a copy on this machine).
# VULN_REQUIRED=1 makes an unreachable database a failure: a release sets it.
set -euo pipefail

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

status=0
go tool -modfile=internal/tools/go.mod govulncheck ${VULNDB:+-db "$VULNDB"} "$@" 2>"$errors" || status=$?
cat "$errors" >&2

# govulncheck leaves with 1 for every kind of trouble; only this message means that the database did not answer.
if [ "$status" -eq 1 ] && grep -q '^govulncheck: fetching vulnerabilities: ' "$errors"; then
  echo >&2
  echo "WARNING: vulnerabilities were NOT checked: the database of govulncheck cannot be reached from here." >&2
  echo "         Run \`make vuln\` where it can be, or set VULNDB=file:///… to a copy of it." >&2
  [ -z "${VULN_REQUIRED:-}" ] || exit 1
  echo "vulnerabilities: not checked"
  exit 0
fi
[ "$status" -ne 0 ] || echo "vulnerabilities: none known"
exit "$status"
