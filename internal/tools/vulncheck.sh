#!/usr/bin/env bash
# vulncheck.sh [GOVULNCHECK ARGUMENT]...  runs govulncheck, which needs its database from the network.
#
#   no known vulnerability            0
#   vulnerabilities found             3, as govulncheck itself says it
#   not checked, whatever the reason  1: nothing is known, so nothing is passed
#
# VULNDB=URL reads another database (file:///… for a copy on this machine). What is linked from C and C++, DuckDB
# itself, no database of Go knows: its releases are followed by hand.
set -euo pipefail

status=0
go tool -modfile=internal/tools/go.mod govulncheck ${VULNDB:+-db "$VULNDB"} "$@" || status=$?
case $status in
  0) echo "vulnerabilities: none known" ;;
  3) echo "vulnerabilities: found, see above" >&2 ;;
  *)
    echo >&2
    echo "vulnerabilities: NOT CHECKED, see above: the database of govulncheck has to be reached, https://vuln.go.dev." >&2
    echo "Run \`make vuln\` where it can be, or \`make vuln VULNDB=file:///PATH\` with a copy of it." >&2
    status=1
    ;;
esac
exit "$status"
