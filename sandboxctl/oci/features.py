"""``features``: what of a configuration is honoured (features.md of the runtime specification)."""

import json

IGNORED = (
    "linux.resources.blockIO", "linux.resources.devices",
    "linux.resources.hugepageLimits", "linux.resources.network", "linux.rootfsPropagation",
    "linux.seccomp.architectures", "linux.seccomp.flags",
    "linux.sysctl.net.ipv4.ip_unprivileged_port_start", "linux.sysctl.net.ipv4.ping_group_range",
    "process.apparmorProfile", "process.selinuxLabel",
)  # fmt: skip


def features() -> str:
    """The JSON text. Ignored settings are those that the sandbox makes meaningless: the guest reaches no device, no /proc and
    no control group of the host; of a profile's architectures it has only its own, and no other's calls can be made."""
    from sandboxctl.oci import seccomp

    return json.dumps(
        {
            "ociVersionMin": "1.0.0",
            "ociVersionMax": "1.2.0",
            "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
            "mountOptions": ["bind", "rbind", "ro", "rw", "size", "mode", "noexec", "nosuid", "nodev"],
            "linux": {
                "namespaces": ["network", "mount", "pid", "ipc", "uts"],
                "cgroup": {"v1": True, "v2": True, "systemd": False, "systemdUser": False},
                "seccomp": {
                    "enabled": True,
                    "actions": list(seccomp.ACTIONS),
                    "operators": list(seccomp.OPERATORS),
                    "archs": ["SCMP_ARCH_X86_64"],
                    "knownFlags": list(seccomp.FLAGS),
                    "supportedFlags": list(seccomp.FLAGS[:1]),
                },
            },
            "annotations": {"dev.sandboxctl.ignored": ",".join(IGNORED)},
        },
        indent=2,
    )
