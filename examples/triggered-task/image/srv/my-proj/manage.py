# The project's management script; this example's `python` knows its commands.
