package souk.flink.common;

/**
 * Spreads the small requests of the sinks of a process, so that they do not fall upon their target all at once and its
 * readers get their turns, too. The slower it answers, the fewer requests it gets, each with more rows. Full batches and
 * those of checkpoints do not ask.
 */
final class Pacer {
    /** How many times longer than a request took the next one waits, counted from the begin of the one before it. */
    private static final double REST_PER_REQUEST = 3;

    private long freeNs = System.nanoTime();

    /**
     * For how many milliseconds a request waits that is ready now.
     *
     * @param requestMs how long the last one of its sink took
     * @param longestMs how long it waits at most
     */
    long delay(double requestMs, long longestMs) {
        return delayNs(System.nanoTime(), requestMs, longestMs) / 1_000_000;
    }

    synchronized long delayNs(long nowNs, double requestMs, long longestMs) {
        long longestNs = longestMs * 1_000_000;
        long wait = Math.min(Math.max(freeNs - nowNs, 0), longestNs);
        long rest = Math.min((long) (REST_PER_REQUEST * requestMs * 1e6), longestNs);
        freeNs = Math.max(freeNs, nowNs + wait + rest);
        return wait;
    }
}
