"""The compatibility matrix: declarations beside the handlers, joined with the committed evidence of differential runs."""
