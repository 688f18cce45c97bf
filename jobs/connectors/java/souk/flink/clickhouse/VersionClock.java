package souk.flink.clickhouse;

/**
 * Versions that only grow: Unix milliseconds shifted left by 20 bits, one more for each row. Whoever starts one goes on
 * above what its table holds, so that a machine's clock that was set back hides no row.
 */
final class VersionClock {
    private static final int SEQUENCE_BITS = 20;

    private long last;

    /** Starts above a version that is already in the table. */
    void above(long version) {
        last = Math.max(last, version);
    }

    long next() {
        last = Math.max(last + 1, System.currentTimeMillis() << SEQUENCE_BITS);
        return last;
    }
}
