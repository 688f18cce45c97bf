package souk.flink.common;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Spreads the small requests of the sinks with the same flush interval over time, so that readers of the store are not
 * blocked by many requests at once. The slower the store answers, the fewer requests it gets, each with more rows. Full
 * batches and the batches of checkpoints are not delayed. Live tables therefore never wait for the others.
 */
final class RequestPacer {
    private static final ConcurrentMap<Duration, RequestPacer> BY_INTERVAL = new ConcurrentHashMap<>();

    /** The time between the starts of two requests, as a multiple of the duration of the first request. */
    private static final double REST_PER_REQUEST = 1.5;

    private long freeNs = System.nanoTime();

    /** Returns the pacer that the sinks of this process with a flush interval share. */
    static RequestPacer of(Duration interval) {
        return BY_INTERVAL.computeIfAbsent(interval, each -> new RequestPacer());
    }

    /**
     * Returns for how many milliseconds to delay a request that is ready now.
     *
     * @param requestMs how long the sink's last request took
     * @param longestMs the longest delay of this request
     * @param longestRestMs the longest time between this request and the next one
     */
    long delay(double requestMs, long longestMs, long longestRestMs) {
        return delayNs(System.nanoTime(), requestMs, longestMs, longestRestMs) / 1_000_000;
    }

    synchronized long delayNs(long nowNs, double requestMs, long longestMs, long longestRestMs) {
        long wait = Math.min(Math.max(freeNs - nowNs, 0), longestMs * 1_000_000);
        long rest = Math.min((long) (REST_PER_REQUEST * requestMs * 1e6), longestRestMs * 1_000_000);
        freeNs = Math.max(freeNs, nowNs + wait + rest);
        return wait;
    }
}
