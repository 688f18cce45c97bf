-- A seller's lookup takes a granule or two of each part, but unpacks whole compressed blocks: 64 KB at least, 16 granules of
-- a column. Of 8 KB it unpacks two. Parts written before keep theirs until they are merged.

ALTER TABLE seller_sales_minute MODIFY SETTING min_compress_block_size = 8192;

ALTER TABLE seller_cancellations_minute MODIFY SETTING min_compress_block_size = 8192;
