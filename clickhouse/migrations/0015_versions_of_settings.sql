-- Each change of a setting has a version, its author's reason and the type of the value. Rows from before these columns have
-- NULL.

ALTER TABLE setting_changed
    ADD COLUMN IF NOT EXISTS type Nullable(String) CODEC(ZSTD(1)) COMMENT 'boolean, number, text or rollout; null in events from before this field.' AFTER changed_by,
    ADD COLUMN IF NOT EXISTS version Nullable(Int64) CODEC(ZSTD(1)) COMMENT 'The number of changes of the setting up to this one; null in events from before this field.' AFTER type,
    ADD COLUMN IF NOT EXISTS reason Nullable(String) CODEC(ZSTD(1)) COMMENT 'Why it was changed; null in events from before this field.' AFTER version,
    ADD COLUMN IF NOT EXISTS rolled_back_to Nullable(Int64) CODEC(ZSTD(1)) COMMENT 'The version whose value was restored, 0 for the default; null unless it was a roll-back.' AFTER reason,
    MODIFY COLUMN changed_by COMMENT 'The process that changed it, such as platform:cli; null when a person did, whom only the service\'s history names.';
