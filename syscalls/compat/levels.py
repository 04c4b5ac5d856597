"""The levels of the matrix, best first, and what each claims."""

LEVELS = ("full", "partial", "unproven", "stub", "refused", "missing")
LEVEL_TEXTS = {
    "full": "as Linux does, and a differential test says so",
    "partial": "as Linux does within the limits of its note, and a differential test says so",
    "unproven": "written, but no differential test that passes everywhere uses it",
    "stub": "accepted without effect",
    "refused": "always the named error",
    "missing": "ENOSYS",
}
