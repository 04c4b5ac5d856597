"""linux/ioprio.h."""

from typing import Final

IOPRIO_WHO_PROCESS: Final = 1
IOPRIO_WHO_PGRP: Final = 2
IOPRIO_WHO_USER: Final = 3
IOPRIO_CLASS_SHIFT: Final = 13
IOPRIO_CLASS_MASK: Final = 0x7
IOPRIO_LEVEL_MASK: Final = 0x7
IOPRIO_CLASS_NONE: Final = 0
IOPRIO_CLASS_RT: Final = 1
IOPRIO_CLASS_BE: Final = 2
IOPRIO_CLASS_IDLE: Final = 3
