-- Listings from before conditions are new, as their schema says; 0032 left them empty.
ALTER TABLE product_listed MODIFY COLUMN condition DEFAULT 'new';

ALTER TABLE product_changed MODIFY COLUMN condition DEFAULT 'new';

ALTER TABLE product_listed UPDATE condition = 'new' WHERE condition = '' SETTINGS mutations_sync = 2;

ALTER TABLE product_changed UPDATE condition = 'new' WHERE condition = '' SETTINGS mutations_sync = 2;
