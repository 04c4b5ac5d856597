"""Makes the helpers beside the tests importable, whichever test is run first."""

import importlib.util
import sys
from pathlib import Path

for _stem in ("pair", "script"):
    _name = f"netstack_{_stem}"
    if _name not in sys.modules:
        _spec = importlib.util.spec_from_file_location(_name, Path(__file__).with_name(f"{_stem}.py"))
        _module = importlib.util.module_from_spec(_spec)
        sys.modules[_name] = _module
        _spec.loader.exec_module(_module)
