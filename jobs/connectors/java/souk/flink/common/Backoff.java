package souk.flink.common;

import java.io.Serializable;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Exponential back-off with jitter, from {@code initial} up to {@code max}. */
public record Backoff(Duration initial, Duration max) implements Serializable {

    public static final Backoff DEFAULT = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(5));

    /** Sleeps before the given retry (1, 2, …): half of the exponential delay is fixed, half is random. */
    public void pause(int retry) throws InterruptedException {
        long ceiling = Math.min(max.toMillis(), initial.toMillis() << Math.min(retry - 1, 20));
        Thread.sleep(ceiling / 2 + ThreadLocalRandom.current().nextLong(ceiling / 2 + 1));
    }

    /** Returns whether to log the given retry: the first three, then every twentieth. */
    public static boolean worthLogging(int retry) {
        return retry < 4 || retry % 20 == 0;
    }
}
