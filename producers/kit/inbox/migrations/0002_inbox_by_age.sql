-- Rows come in the order of their age, so an index of ranges finds the oldest and costs next to nothing.
CREATE INDEX inbox_by_age ON inbox USING brin (acted_at);
