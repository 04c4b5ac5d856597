# Read before each application's script. Runs in an empty folder; $PREPARED is what NAME.prepare.sh made on the host (read-only inside).
set -eu -o pipefail
umask 022

# answer NAME EXPECTED ACTUAL: the checked answers of a script; a wrong one ends it
answer() {
    printf '%s: %s\n' "$1" "$3"
    [ "$2" = "$3" ] || { printf '%s: expected %s\n' "$1" "$2" >&2; exit 1; }
}

# await COMMAND...: until it succeeds; servers say in no other way that they are ready
await() {
    for _ in $(seq 600); do
        if "$@" >/dev/null 2>&1; then return 0; fi
        sleep 0.1
    done
    printf 'never succeeded: %s\n' "$*" >&2
    exit 1
}
