"""Search of what is for sale: texts, the index, queries, and the process that keeps the index current."""
