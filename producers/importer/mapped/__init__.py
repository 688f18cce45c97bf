"""A data set of one's own: the tables of any shop, which a mapping turns into events."""
