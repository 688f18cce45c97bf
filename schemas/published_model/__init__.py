"""A trained model in Redis: training writes it, and serving reads it.

The hash `STATE` names the version in use. The keys of a version begin with `recommender:{version}:`. Each key
is read and written alone, so a Redis Cluster may hold them on any of its nodes.

| key | content |
|---|---|
| `recommender` | hash: in_use, previous (versions), weights (`weights.py`) |
| `recommender_publications` | hash: version → its layout, while it has any key |
| `recommender:{version}:model` | what the model is, and checksums (`keys.py`) |
| `recommender:{version}:ids:{piece}` | the product ids, in the order of the codes (`product_ids.py`) |
| `recommender:{version}:rows:{bucket}` | hash: product id → its neighbours (`rows.py`) |
"""
