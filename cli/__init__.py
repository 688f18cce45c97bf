"""The command line: one module a command, each a typer function of the command's name."""
