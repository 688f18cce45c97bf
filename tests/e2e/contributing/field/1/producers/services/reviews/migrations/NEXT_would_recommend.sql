-- Whether the author would recommend it; NULL if they don't say so.
ALTER TABLE reviews ADD COLUMN would_recommend boolean;
