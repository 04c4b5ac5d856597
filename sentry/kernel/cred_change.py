"""How credentials change (credentials(7), capabilities(7), setresuid(2)): pure functions from one record to the next.

Ids are guest ids; -1 (as an unsigned 32-bit number) means "leave it alone" where a call allows that.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from syscalls.abi.capability import (
    ALL_CAPABILITIES,
    CAP_CHOWN,
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_FOWNER,
    CAP_FSETID,
    CAP_LAST_CAP,
    CAP_LINUX_IMMUTABLE,
    CAP_MAC_OVERRIDE,
    CAP_MKNOD,
    CAP_SETGID,
    CAP_SETPCAP,
    CAP_SETUID,
)
from syscalls.abi.errno import EINVAL, EPERM
from syscalls.abi.errors import SyscallError

if TYPE_CHECKING:
    from sentry.kernel.creds import Credentials

KEEP = 0xFFFFFFFF
SECBIT_NOROOT, SECBIT_NO_SETUID_FIXUP, SECBIT_KEEP_CAPS, SECBIT_NO_CAP_AMBIENT_RAISE = 0x01, 0x04, 0x10, 0x40
_SECBITS, _SECBIT_LOCKS = 0x55, 0xAA
#: what a change of fsuid from or to root gives and takes (Linux: include/linux/capability.h, CAP_FS_SET)
_FILE_CAPABILITIES = sum(
    1 << capability
    for capability in (
        CAP_CHOWN,
        CAP_DAC_OVERRIDE,
        CAP_DAC_READ_SEARCH,
        CAP_FOWNER,
        CAP_FSETID,
        CAP_LINUX_IMMUTABLE,
        CAP_MKNOD,
        CAP_MAC_OVERRIDE,
    )
)


def set_uid(creds: "Credentials", uid: int) -> "Credentials":
    """setuid(2). Errors: EINVAL uid -1; EPERM."""
    _check_id(uid)
    if creds.has(CAP_SETUID):
        return _fix_capabilities(creds, replace(creds, uid=uid, euid=uid, suid=uid, fsuid=uid))
    if uid not in (creds.uid, creds.suid):
        raise SyscallError(EPERM)
    return _fix_capabilities(creds, replace(creds, euid=uid, fsuid=uid))


def set_gid(creds: "Credentials", gid: int) -> "Credentials":
    """setgid(2). Errors: EINVAL gid -1; EPERM."""
    _check_id(gid)
    if creds.has(CAP_SETGID):
        return replace(creds, gid=gid, egid=gid, sgid=gid, fsgid=gid)
    if gid not in (creds.gid, creds.sgid):
        raise SyscallError(EPERM)
    return replace(creds, egid=gid, fsgid=gid)


def set_reuid(creds: "Credentials", ruid: int, euid: int) -> "Credentials":
    """setreuid(2). Errors: EPERM."""
    uid, effective, saved = _reset(creds.uid, creds.euid, creds.suid, ruid, euid, may_any=creds.has(CAP_SETUID))
    return _fix_capabilities(creds, replace(creds, uid=uid, euid=effective, suid=saved, fsuid=effective))


def set_regid(creds: "Credentials", rgid: int, egid: int) -> "Credentials":
    """setregid(2). Errors: EPERM."""
    gid, effective, saved = _reset(creds.gid, creds.egid, creds.sgid, rgid, egid, may_any=creds.has(CAP_SETGID))
    return replace(creds, gid=gid, egid=effective, sgid=saved, fsgid=effective)


def set_resuid(creds: "Credentials", ruid: int, euid: int, suid: int) -> "Credentials":
    """setresuid(2). Errors: EPERM."""
    old = (creds.uid, creds.euid, creds.suid)
    uid, effective, saved = _reset_all(old, (ruid, euid, suid), may_any=creds.has(CAP_SETUID))
    return _fix_capabilities(creds, replace(creds, uid=uid, euid=effective, suid=saved, fsuid=effective))


def set_resgid(creds: "Credentials", rgid: int, egid: int, sgid: int) -> "Credentials":
    """setresgid(2). Errors: EPERM."""
    old = (creds.gid, creds.egid, creds.sgid)
    gid, effective, saved = _reset_all(old, (rgid, egid, sgid), may_any=creds.has(CAP_SETGID))
    return replace(creds, gid=gid, egid=effective, sgid=saved, fsgid=effective)


def set_fsuid(creds: "Credentials", fsuid: int) -> "Credentials":
    """setfsuid(2): a number that is not allowed changes nothing, without an error."""
    if fsuid == KEEP or not (creds.has(CAP_SETUID) or fsuid in (creds.uid, creds.euid, creds.suid, creds.fsuid)):
        return creds
    effective = creds.effective
    if not creds.securebits & SECBIT_NO_SETUID_FIXUP:
        if creds.fsuid == 0 and fsuid != 0:
            effective &= ~_FILE_CAPABILITIES
        elif creds.fsuid != 0 and fsuid == 0:
            effective |= _FILE_CAPABILITIES & creds.permitted
    return replace(creds, fsuid=fsuid, effective=effective)


def set_fsgid(creds: "Credentials", fsgid: int) -> "Credentials":
    """setfsgid(2)."""
    if fsgid == KEEP or not (creds.has(CAP_SETGID) or fsgid in (creds.gid, creds.egid, creds.sgid, creds.fsgid)):
        return creds
    return replace(creds, fsgid=fsgid)


def set_groups(creds: "Credentials", groups: tuple[int, ...]) -> "Credentials":
    """setgroups(2). Errors: EPERM; EINVAL an id of -1."""
    if not creds.has(CAP_SETGID):
        raise SyscallError(EPERM)
    if KEEP in groups:
        raise SyscallError(EINVAL)
    return replace(creds, groups=tuple(sorted(groups)))


def set_capabilities(creds: "Credentials", effective: int, permitted: int, inheritable: int) -> "Credentials":
    """capset(2) on oneself (Linux: security/commoncap.c, cap_capset()). Errors: EPERM."""
    effective, permitted, inheritable = (mask & ALL_CAPABILITIES for mask in (effective, permitted, inheritable))
    if permitted & ~creds.permitted or effective & ~permitted:
        raise SyscallError(EPERM)
    if not creds.has(CAP_SETPCAP) and inheritable & ~(creds.inheritable | creds.permitted):
        raise SyscallError(EPERM)
    if inheritable & ~(creds.inheritable | creds.bounding):
        raise SyscallError(EPERM)
    ambient = creds.ambient & permitted & inheritable
    return replace(creds, effective=effective, permitted=permitted, inheritable=inheritable, ambient=ambient)


def drop_bounding(creds: "Credentials", capability: int) -> "Credentials":
    """PR_CAPBSET_DROP. Errors: EPERM without CAP_SETPCAP; EINVAL no such capability."""
    if not creds.has(CAP_SETPCAP):
        raise SyscallError(EPERM)
    if capability > CAP_LAST_CAP:
        raise SyscallError(EINVAL)
    return replace(creds, bounding=creds.bounding & ~(1 << capability))


def set_securebits(creds: "Credentials", bits: int) -> "Credentials":
    """PR_SET_SECUREBITS. Errors: EPERM: a locked bit, an unknown one, or no CAP_SETPCAP."""
    locks = creds.securebits & _SECBIT_LOCKS
    changed = creds.securebits ^ bits
    if changed & locks >> 1 or locks & ~bits or bits & ~(_SECBITS | _SECBIT_LOCKS) or not creds.has(CAP_SETPCAP):
        raise SyscallError(EPERM)
    return replace(creds, securebits=bits)


def set_keep_capabilities(creds: "Credentials", *, value: bool) -> "Credentials":
    """PR_SET_KEEPCAPS. Errors: EPERM when the bit is locked."""
    if creds.securebits & SECBIT_KEEP_CAPS << 1:
        raise SyscallError(EPERM)
    bits = creds.securebits & ~SECBIT_KEEP_CAPS
    return replace(creds, securebits=bits | SECBIT_KEEP_CAPS if value else bits)


def raise_ambient(creds: "Credentials", capability: int) -> "Credentials":
    """PR_CAP_AMBIENT_RAISE. Errors: EPERM."""
    bit = 1 << capability
    if not creds.permitted & creds.inheritable & bit or creds.securebits & SECBIT_NO_CAP_AMBIENT_RAISE:
        raise SyscallError(EPERM)
    return replace(creds, ambient=creds.ambient | bit)


def after_exec(creds: "Credentials") -> "Credentials":
    """What execve(2) of a program without file capabilities and set-id bits makes of ``creds`` (capabilities(7))."""
    securebits = creds.securebits & ~SECBIT_KEEP_CAPS
    is_root = not securebits & SECBIT_NOROOT and 0 in (creds.uid, creds.euid)
    permitted = creds.ambient | (creds.inheritable | creds.bounding if is_root else 0)
    effective = permitted if is_root and creds.euid == 0 else creds.ambient
    return replace(
        creds,
        suid=creds.euid,
        fsuid=creds.euid,
        sgid=creds.egid,
        fsgid=creds.egid,
        permitted=permitted,
        effective=effective,
        securebits=securebits,
    )


def _check_id(number: int) -> None:
    if number == KEEP:
        raise SyscallError(EINVAL)


def _reset(real: int, effective: int, saved: int, new_real: int, new_effective: int, *, may_any: bool) -> tuple[int, int, int]:
    """setreuid(2)'s rules for one kind of id."""
    if not may_any and (
        (new_real != KEEP and new_real not in (real, effective))
        or (new_effective != KEEP and new_effective not in (real, effective, saved))
    ):
        raise SyscallError(EPERM)
    after_real = real if new_real == KEEP else new_real
    after_effective = effective if new_effective == KEEP else new_effective
    if new_real != KEEP or new_effective not in {KEEP, real}:
        saved = after_effective
    return after_real, after_effective, saved


def _reset_all(old: tuple[int, int, int], new: tuple[int, int, int], *, may_any: bool) -> tuple[int, int, int]:
    """setresuid(2)'s rules for one kind of id."""
    if not may_any and any(number != KEEP and number not in old for number in new):
        raise SyscallError(EPERM)
    real, effective, saved = (before if number == KEEP else number for before, number in zip(old, new, strict=True))
    return real, effective, saved


def _fix_capabilities(old: "Credentials", new: "Credentials") -> "Credentials":
    """What a change of user ids does to the capability sets (capabilities(7), "Effect of user ID changes")."""
    if old.securebits & SECBIT_NO_SETUID_FIXUP:
        return new
    permitted, effective, ambient = new.permitted, new.effective, new.ambient
    if 0 in (old.uid, old.euid, old.suid) and 0 not in (new.uid, new.euid, new.suid):
        if not old.securebits & SECBIT_KEEP_CAPS:
            permitted = effective = 0
        ambient = 0
    if old.euid == 0 and new.euid != 0:
        effective = 0
    elif old.euid != 0 and new.euid == 0:
        effective = permitted
    return replace(new, permitted=permitted, effective=effective, ambient=ambient)
