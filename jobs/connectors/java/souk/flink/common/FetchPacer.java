package souk.flink.common;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.TopicPartition;

/**
 * Makes a Kafka consumer return small batches at most every {@code fetch.pace.ms}. Kafka answers a fetch as soon as it
 * has one event, so a topic with two hundred events a second would need as many fetches, and each costs the broker and
 * the consumer more CPU time than its event. The first batch after a pause is not delayed.
 */
public final class FetchPacer implements ConsumerInterceptor<byte[], byte[]> {
    public static final String PACE = "fetch.pace.ms";

    /** A batch of this size is no small one: a consumer that reads a backlog is not delayed. */
    private static final int LARGE_BATCH = 500;

    private long paceNs;
    private long freeNs = System.nanoTime();

    @Override
    public void configure(Map<String, ?> settings) {
        paceNs = TimeUnit.MILLISECONDS.toNanos(Long.parseLong((String) settings.get(PACE)));
    }

    @Override
    public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
        try {
            TimeUnit.NANOSECONDS.sleep(delayNs(System.nanoTime(), records.count()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        return records;
    }

    /** Returns for how long to hold back a batch of so many records. The next small one waits until it has rested. */
    long delayNs(long nowNs, int records) {
        long delay = records < LARGE_BATCH ? Math.max(freeNs - nowNs, 0) : 0;
        freeNs = nowNs + delay + paceNs;
        return delay;
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {
        // Commits are not paced.
    }

    @Override
    public void close() {
        // It holds nothing.
    }
}
