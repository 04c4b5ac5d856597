exec ./prog serve
