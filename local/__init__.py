"""The stack on one machine: `install`ed, made of `parts`, kept running by `supervision`."""
