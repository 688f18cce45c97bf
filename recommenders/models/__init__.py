"""The models, one per file. `recommenders/registry.py` lists them."""
