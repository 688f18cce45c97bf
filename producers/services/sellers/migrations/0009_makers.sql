-- What people made is judged by what they may do when it is used (`producers/makers.py`), so users ends nothing here, and
-- nobody has to be kept from suspending the maker of a key.
DROP FUNCTION revoke_keys_of_user (uuid, text), lock_maker (uuid);
DROP INDEX api_keys_of_maker;
CREATE INDEX api_keys_of_maker ON api_keys (seller_id, created_by) WHERE revoked_at IS NULL;
