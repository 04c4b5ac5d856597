# Read before each script. $H is the server's address, $B the same as URLs have it; client and server share the working folder.
set -eu -o pipefail
umask 022
unset http_proxy https_proxy
export HOME=$PWD

# listening PORT: wait until the server takes connections
listening() {
    for _ in $(seq 600); do
        if (exec 3<>"/dev/tcp/$H/$1") 2>/dev/null; then return 0; fi
        sleep 0.1
    done
    echo "nobody listens at port $1 of $H" >&2
    exit 1
}

# same WHAT FILE FILE
same() { cmp "$2" "$3" && echo "$1: the same"; }
