"""Makes ``pair.py`` importable as ``netstack_pair``, whichever test is run first."""

import importlib.util
import sys
from pathlib import Path

if "netstack_pair" not in sys.modules:
    _spec = importlib.util.spec_from_file_location("netstack_pair", Path(__file__).with_name("pair.py"))
    _pair = importlib.util.module_from_spec(_spec)
    sys.modules["netstack_pair"] = _pair
    _spec.loader.exec_module(_pair)
