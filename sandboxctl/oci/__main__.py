"""``python -m sandboxctl.oci``."""

from sandboxctl.oci.main import main

main()
