package souk.flink.common;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Spreads the small requests of all sinks of a process, so that together they take a part of their target's time and
 * its readers keep the rest. The slower it answers, the fewer requests it gets, each with more rows.
 */
final class Pacer {
    /** How many times longer than a request the next one waits after it began. */
    private static final double REST_PER_REQUEST = 3;

    /** Nobody waits longer than this, however many sinks there are. */
    private static final long LONGEST_WAIT_MS = 500;

    private static final Map<String, Pacer> PACERS = new ConcurrentHashMap<>();

    private double freeMs;

    /** The one of all sinks of this process that write to this kind of target. */
    static Pacer of(String target) {
        return PACERS.computeIfAbsent(target, name -> new Pacer());
    }

    /** When a request that is ready now may be sent; {@code requestMs} is how long the last one of its sink took. */
    synchronized long turn(long nowMs, double requestMs) {
        double turn = Math.min(Math.max(nowMs, freeMs), nowMs + LONGEST_WAIT_MS);
        freeMs = turn + REST_PER_REQUEST * requestMs;
        return (long) turn;
    }
}
