package souk.flink.common;

import java.time.Duration;

/** Prints three times of `FlushTimes INTERVAL BUSY SINCE_LAST ROWS WAITED`, all but ROWS in milliseconds. */
public final class FlushTimes {
    private FlushTimes() {}

    public static void main(String[] args) {
        long[] numbers = java.util.Arrays.stream(args).mapToLong(Long::parseLong).toArray();
        var flush = new Flush(20_000, Duration.ofMillis(numbers[0]), Duration.ofMillis(numbers[1]), 1);
        System.out.println(flush.firstRowMs(numbers[2]));
        System.out.println(flush.moreMs((int) numbers[3], numbers[4]));
        System.out.println(flush.longestRestMs(numbers[4]));
    }
}
