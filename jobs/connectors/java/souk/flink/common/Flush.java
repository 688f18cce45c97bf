package souk.flink.common;

import java.io.Serializable;
import java.time.Duration;

/**
 * When a buffer is sent: when it has this many rows or bytes, or {@code interval} after the last one was sent, so that a
 * row that comes after a pause is sent at once. While rows arrive as fast as in a backlog, a buffer may wait for
 * {@code busyInterval}: each request costs the store the same whatever its size.
 */
public record Flush(int rows, Duration interval, Duration busyInterval, long bytes) implements Serializable {
    private static final long BUSY_ROWS_PER_S = 2_000;

    /** How long the first row after a pause waits for those that come with it. */
    private static final long GATHER_MS = 10;

    /** Returns for how many milliseconds the first row of a buffer waits, this long after the last one was sent. */
    long firstRowMs(long sinceLastMs) {
        return Math.max(interval.toMillis() - sinceLastMs, Math.min(GATHER_MS, interval.toMillis()));
    }

    /** Returns for how many more milliseconds to wait for rows, or 0 to send these rows now. */
    long moreMs(int rows, long waitedMs) {
        boolean busy = rows * 1000L > BUSY_ROWS_PER_S * waitedMs;
        return busy ? Math.max(0, Math.min(interval.toMillis(), busyInterval.toMillis() - waitedMs)) : 0;
    }

    /** Returns for how many milliseconds the store's rest may delay rows that have waited this long. */
    long longestRestMs(long waitedMs) {
        return Math.max(interval.toMillis() - waitedMs, interval.toMillis() / 2);
    }
}
