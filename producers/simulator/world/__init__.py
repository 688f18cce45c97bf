"""Who and what there is: sellers, categories, products, shoppers and their tastes, drawn from one seed."""
