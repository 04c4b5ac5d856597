"""What goes wrong with a link."""


class LinkLost(Exception):
    """The other side of the link is gone, or does not speak its protocol any more."""
