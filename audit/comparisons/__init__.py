"""One module a comparison: a pure `compare(expected, actual)` and a `run(stores)` that fetches both sides."""
