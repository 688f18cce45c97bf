-- What a person made before `rights_since` has ended for good: their account was suspended, so that a stranger may have made
-- it, or the demo has ended. NULL: neither happened.
ALTER TABLE people ADD COLUMN rights_since timestamptz;

-- What people made is judged by what they may do when it is used (`producers/makers.py`).
DROP FUNCTION lock_unless_suspended (uuid), revoke_keys (uuid, text);
