"""Products: what sellers offer, with variants, prices and pictures, and the category tree."""
