"""What sentry and gofer say to each other; the only part of the gofer that the sentry may import."""
