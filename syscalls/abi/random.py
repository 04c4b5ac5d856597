"""getrandom(2) flags."""

GRND_NONBLOCK = 1
GRND_RANDOM = 2
GRND_INSECURE = 4
