"""Limits of an IPC namespace: /proc/sys/kernel/{sem,msg*,shm*} (proc_sys_kernel(5)) and /proc/sys/fs/mqueue (mq_overview(7))."""

from dataclasses import dataclass

SHM_UNLIMITED = (1 << 64) - (1 << 24) - 1


@dataclass(slots=True)
class IpcSettings:
    """Linux's defaults."""

    semmsl: int = 32000
    semmns: int = 32000 * 32000
    semopm: int = 500
    semmni: int = 32000
    msgmax: int = 8192
    msgmnb: int = 16384
    msgmni: int = 32000
    shmmax: int = SHM_UNLIMITED
    shmall: int = SHM_UNLIMITED
    shmmni: int = 4096
    queues_max: int = 256
    msg_max: int = 10
    msg_default: int = 10
    msgsize_max: int = 8192
    msgsize_default: int = 8192
