"""Models behind Ray Serve: one application of a cluster, whose dashboard tells what no endpoint does."""
