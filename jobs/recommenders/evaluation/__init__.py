"""The judge: full ranking over all products, on arrays alone; it knows no model."""
