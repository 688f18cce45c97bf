package souk.flink.common;

import java.io.Serializable;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Exponential waits with jitter, from {@code initial} up to {@code max}. */
public record Backoff(Duration initial, Duration max) implements Serializable {

    public static final Backoff DEFAULT = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(5));

    /** Sleeps before the given retry (1, 2, …): half of the exponential wait is fixed, half is random. */
    public void pause(int retry) throws InterruptedException {
        long ceiling = Math.min(max.toMillis(), initial.toMillis() << Math.min(retry - 1, 20));
        Thread.sleep(ceiling / 2 + ThreadLocalRandom.current().nextLong(ceiling / 2 + 1));
    }

    /** Whether the given retry deserves a line in the log: the first, then ever more rarely. */
    public static boolean worthLogging(int retry) {
        return retry < 4 || retry % 20 == 0;
    }
}
