"""What can be wrong with an image or the store."""

from sandboxctl.errors import SandboxError


class ImageError(SandboxError):
    """An image that cannot be used, or is not there; the message is one line that says what to do."""
