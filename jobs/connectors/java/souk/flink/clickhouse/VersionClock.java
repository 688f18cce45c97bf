package souk.flink.clickhouse;

/**
 * Versions that only grow: Unix milliseconds shifted left by 20 bits, one more for each row. Restarts go on above
 * what the table holds, even when the machine's clock was set back.
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
