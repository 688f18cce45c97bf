-- Units that came back and can't be sold again: no stock, but no longer out there either.
ALTER TABLE reserved_lines
    ADD COLUMN written_off integer NOT NULL DEFAULT 0 CHECK (written_off >= 0),
    ADD CONSTRAINT no_more_comes_back_than_was_sold CHECK (returned + written_off <= quantity);
