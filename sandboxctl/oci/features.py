"""``features``: what of a configuration is honoured (features.md of the runtime specification)."""

import json


def features() -> str:
    """The JSON text. Ignored settings are those that the sandbox makes meaningless: the guest reaches no device, no /proc and
    no control group of the host; of a profile's architectures it has only its own, and no other's calls can be made."""
    from sandboxctl.oci import mounts, seccomp
    from sandboxctl.oci.spec import IGNORED

    options = [f"mounts.options.{name}" for name in mounts.IGNORED]
    ignored = [*IGNORED, "linux.seccomp.architectures", "linux.seccomp.flags", *options]
    return json.dumps(
        {
            "ociVersionMin": "1.0.0",
            "ociVersionMax": "1.2.0",
            "hooks": ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
            "mountOptions": list(mounts.HONOURED),
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
            "annotations": {"dev.sandboxctl.ignored": ",".join(ignored)},
        },
        indent=2,
    )
