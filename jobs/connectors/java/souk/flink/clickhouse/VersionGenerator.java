package souk.flink.clickhouse;

/**
 * Generates increasing versions: Unix milliseconds shifted left by 20 bits, and at least one more for each row. The
 * first version is above the versions in the table, so a clock that was set back does not hide new rows.
 */
final class VersionGenerator {
    private static final int SEQUENCE_BITS = 20;

    private long last;

    /** Makes the next version higher than one that is already in the table. */
    void startAbove(long version) {
        last = Math.max(last, version);
    }

    long next() {
        last = Math.max(last + 1, System.currentTimeMillis() << SEQUENCE_BITS);
        return last;
    }
}
