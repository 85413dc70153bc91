#!/usr/bin/env bash
# twice.sh SCRIPT: runs it, and once more if it fails. For what compares real containers with a forecast to the order of
# events: a machine that is busy with something else for a second is no fault of the forecast, twice in a row is.
"$@"
code=$?
[ $code -eq 0 ] || [ $code -eq 77 ] && exit $code
echo "twice.sh: ended with $code; once more" >&2
exec "$@"
