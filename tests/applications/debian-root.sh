mkdir root pkg && tar xf "$PREPARED/root.tar" -C root
mkdir -p pkg/DEBIAN pkg/usr/bin; printf 'Package: hello-local\nVersion: 1.2\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a test\nDepends: coreutils\n' > pkg/DEBIAN/control
printf '#!/bin/sh\necho installed > /var/hello\n' > pkg/DEBIAN/postinst; chmod 755 pkg/DEBIAN/postinst; printf '#!/bin/sh\necho hello from the package\n' > pkg/usr/bin/hello-local; chmod 755 pkg/usr/bin/hello-local
dpkg-deb --root-owner-group -b pkg root/tmp/hello-local.deb > /dev/null
touch root/dev/null; chmod 666 root/dev/null
chroot root env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin apt-get install -y -q -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 /tmp/hello-local.deb > log 2>&1 || { cat log >&2; exit 1; }
answer run 'hello from the package' "$(chroot root /usr/bin/hello-local)"; cat root/var/hello
chroot root dpkg-query -W -f '${Package} ${Version} ${Status}\n' hello-local
chroot root env DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin dpkg -r hello-local > /dev/null 2>&1; [ ! -e root/usr/bin/hello-local ] && echo removed
