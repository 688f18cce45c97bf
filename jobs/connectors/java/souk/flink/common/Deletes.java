package souk.flink.common;

/** What becomes of deletions, and of updates whose new row a query filters out. */
public enum Deletes {
    /** The planner refuses a query that deletes. */
    REFUSE,
    /** They are dropped. */
    IGNORE,
    /** They reach the target as {@code DELETE}. */
    WRITE
}
