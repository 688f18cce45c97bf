"""The models, one file each; `jobs/recommenders/registry.py` names them."""
