"""What profile ``strict`` costs: every call of the guests reaches the sentry, also those that the host serves in ``default``."""

from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.measure import BUILD, Boxed, Row, compiled, seconds

_NS_PER_US = 1000.0
_WORK = (
    ("shell: 100 programs", "for i in {1..100}; do /bin/true; done"),
    ("python3 start", "python3 -S -c pass"),
    ("gcc: compile and link", "echo 'int main(void){return 0;}' > h.c && gcc -O1 -o h h.c"),
    ("grep -r /usr/include/linux", "grep -r FOOBARBAZ /usr/include/linux; true"),
)


def strict(platform: str | None) -> Iterator[Row]:
    """The second column is profile ``default`` in the same run, not the host."""
    from sandboxctl import Sandbox

    program = str(compiled("micro.c"))
    BUILD.mkdir(parents=True, exist_ok=True)

    def measured(profile: str, body: Callable[[Boxed], dict[str, float]]) -> dict[str, float]:
        with Sandbox("host", platform=platform, profile=profile, volumes=[f"{BUILD}:{BUILD}:ro"]) as box:
            return body(Boxed(box))

    def micro(box: Boxed) -> dict[str, float]:
        pairs = (line.split() for line in box.run([program]).splitlines())
        return {name: float(value) / _NS_PER_US for name, value in pairs}

    def work(box: Boxed) -> dict[str, float]:
        return {name: seconds(partial(box.run, ["/bin/bash", "-c", script])) * 1000 for name, script in _WORK}

    for unit, body in (("us", micro), ("ms", work)):
        default, checked = measured("default", body), measured("strict", body)
        for name, value in checked.items():
            yield Row("strict", name, unit, value, default[name], note="to profile default")
