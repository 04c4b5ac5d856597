# A bookworm root from the mirror that this machine uses.
mirror=${DEBIAN_MIRROR:-$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -1)}
debootstrap --variant=minbase bookworm root $mirror > log 2>&1 || { tail -1 log >&2; exit 1; }
rm -rf root/var/cache/apt/archives/*.deb root/var/lib/apt/lists/* root/dev/* root/usr/share/locale root/usr/share/doc
tar cf root.tar -C root . && rm -rf root
