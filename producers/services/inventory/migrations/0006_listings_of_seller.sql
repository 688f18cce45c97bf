-- The sellers service lists the products of a seller.
CREATE INDEX listings_of_seller ON listings (seller_id, product_id);
