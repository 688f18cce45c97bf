"""The models, one per file. `jobs/recommenders/registry.py` lists them."""
