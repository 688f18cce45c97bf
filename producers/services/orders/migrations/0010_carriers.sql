-- Who carries a parcel, and under which code. Parcels that were shipped before these columns have none.
ALTER TABLE order_steps ADD COLUMN carrier text, ADD COLUMN tracking_code text;
