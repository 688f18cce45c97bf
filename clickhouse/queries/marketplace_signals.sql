-- The signals of all sellers and of the marketplace in a period, of one kind or of all, the newest first.
SELECT
    signal.signal_id AS signal_id,
    signal.kind AS kind,
    signal.seller_id AS seller_id,
    signal.subject_kind AS subject_kind,
    signal.subject_id AS subject_id,
    toUnixTimestamp64Milli(signal.first_at) AS first_ms,
    toUnixTimestamp64Milli(signal.last_at) AS last_ms,
    signal.figures AS figures,
    signal.sentence AS sentence
FROM signals AS signal FINAL
WHERE signal.last_at >= {period_start:DateTime64(3, 'UTC')}
    AND signal.last_at < {period_end:DateTime64(3, 'UTC')}
    AND (signal.last_at, signal.signal_id, signal.seller_id)
        < ({before_at:DateTime64(3, 'UTC')}, {before_signal_id:String}, {before_seller_id:String})
    AND ({kind:String} = '' OR signal.kind = {kind:String})
ORDER BY signal.last_at DESC, signal.signal_id DESC, signal.seller_id DESC
LIMIT {limit:UInt32}
