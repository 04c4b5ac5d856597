"""Ways into the store other than a registry: oci:, oci-archive:, docker-archive: and tar:, with the names that skopeo uses."""

from sandboxctl.images.transport.source import Added, add

__all__ = ["Added", "add"]
