package souk.flink.common;

/** How a sink treats deletions, and updates whose new row the query filters out. */
public enum DeletePolicy {
    /** The planner rejects a query that deletes. */
    REJECT,
    /** Deletions are dropped. */
    IGNORE,
    /** Deletions are written as {@code DELETE}. */
    WRITE
}
