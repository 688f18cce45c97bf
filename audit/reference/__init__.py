"""A second computation of every metric of the catalogue: from single events, in plain Python.

It shares nothing with the catalogue but the names of the metrics: neither SQL nor derived tables nor
formulas. Each formula is written from the definition of its metric. `domains.py` lists the modules, one for
each domain.
"""
