"""All that recommends: models, their evaluation, selection and training, experiments, the quality of lists.

Only `training` uses servers. Nothing here uses Flink.
"""
