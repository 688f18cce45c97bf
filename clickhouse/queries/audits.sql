-- Audits of the stores, all or the one of an id, the newest first.
SELECT
    audit_id,
    toUnixTimestamp64Milli(started_at) AS started_ms,
    toUnixTimestamp64Milli(ended_at) AS ended_ms,
    trigger,
    outcome,
    reason,
    is_whole,
    comparisons,
    rows,
    figures,
    differences,
    explained,
    unread,
    peak_memory_mb
FROM audits FINAL
WHERE (started_at, audit_id) < ({before_at:DateTime64(3, 'UTC')}, {before_audit_id:String})
    AND ({audit_id:String} = '' OR audit_id = {audit_id:String})
ORDER BY started_at DESC, audit_id DESC
LIMIT {limit:UInt32}
