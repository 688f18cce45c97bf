"""Products: what sellers offer, with variants, prices and pictures, the category tree, and who may list what."""
