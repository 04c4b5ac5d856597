"""What ``sandboxctl host-surface`` prints for guest and sentry, generated from the tables that the filters are made of."""

from sentry.platform.filter import sentry
from sentry.platform.filter.native import BIRTHS
from sentry.platform.filter.table import ALLOW, RULES, rules_in_force
from sentry.platform.interface import HostRule

_ALL_LAYERS = ("pidns", "userns")

_FROM_STUB = "from the exec stub's code, "
_STUB = (
    HostRule("guest", "mmap", "allow", _FROM_STUB + "MAP_PRIVATE, descriptor in the load range", "maps a program's segments"),
    HostRule("guest", "close", "allow", _FROM_STUB + "descriptor in the load range", "ends the load"),
    HostRule("guest", "prctl", "allow", _FROM_STUB + "PR_SET_MM_MAP", "moves the program break behind the program"),
)


def host_rules(profile: str) -> list[HostRule]:
    """Return one row for each rule of the guest's and of the sentry's filter, with all jail layers in force."""
    return [*_guest_rules(profile), *_sentry_rules()]


def _guest_rules(profile: str) -> list[HostRule]:
    in_force = set(rules_in_force(profile, _ALL_LAYERS))
    rows = []
    for rule in RULES:
        action = rule.action if rule in in_force else "continue"
        condition = rule.condition
        if rule.needs and rule.action == ALLOW:
            instead = "the sentry counts, then continue" if rule.call in BIRTHS else "else notify"
            condition = "; ".join(part for part in (condition, f"needs {rule.needs}, {instead}") if part)
        rows.append(HostRule("guest", rule.call, action, condition, rule.reason))
    rows += _STUB
    rows.append(HostRule("guest", "(every x32 and i386 entry)", "errno", "ENOSYS", "foreign entry points do not exist"))
    rows.append(HostRule("guest", "(every other call)", "notify", "", "default deny: the sentry answers"))
    return rows


def _sentry_rules() -> list[HostRule]:
    calls = sentry.CALLS + sentry.OVERLAY_CALLS + sentry.MEMORY_FILE_CALLS
    rows = [HostRule("sentry", call.name, "allow", call.condition, call.reason) for call in calls]
    rows += [HostRule("sentry", name, "kill", "", "never needed; what a taken-over sentry would try") for name in sentry.KILLED]
    rows.append(HostRule("sentry", "(every other call)", "errno", "EPERM", "default deny: a need for it is our bug"))
    return rows


host_surface = host_rules
