-- The category of an offer, for commission rules. Offers from before this column have none until their next event.
ALTER TABLE offers ADD COLUMN category text;
