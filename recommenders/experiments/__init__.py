"""The analysis of experiments with recommendations. Pure: sums go in, intervals and verdicts come out.

Nothing here needs a server or a package beyond Python, except `judgement`, which uses numpy. So the API,
which imports no scientific package, can use it. The tests compare the formulas with scipy's.
"""
