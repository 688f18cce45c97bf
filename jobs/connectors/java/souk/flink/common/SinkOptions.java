package souk.flink.common;

import java.time.Duration;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.factories.FactoryUtil;

/** The options that both sinks share; README.md explains each. */
public final class SinkOptions {
    public static final ConfigOption<String> URL = ConfigOptions.key("url").stringType().noDefaultValue();
    static final ConfigOption<Integer> ROWS =
            ConfigOptions.key("sink.flush.rows").intType().defaultValue(20_000);
    static final ConfigOption<Duration> INTERVAL =
            ConfigOptions.key("sink.flush.interval").durationType().defaultValue(Duration.ofMillis(100));
    static final ConfigOption<Duration> BUSY_INTERVAL =
            ConfigOptions.key("sink.flush.busy-interval").durationType().noDefaultValue();
    static final ConfigOption<MemorySize> BYTES =
            ConfigOptions.key("sink.buffer.bytes").memoryType().defaultValue(MemorySize.ofMebiBytes(8));
    static final ConfigOption<Duration> RETRY_INITIAL =
            ConfigOptions.key("sink.retry.initial-delay").durationType().defaultValue(Backoff.DEFAULT.initial());
    static final ConfigOption<Duration> RETRY_MAX =
            ConfigOptions.key("sink.retry.max-delay").durationType().defaultValue(Backoff.DEFAULT.max());
    public static final ConfigOption<Duration> REQUEST_TIMEOUT =
            ConfigOptions.key("sink.request.timeout").durationType().defaultValue(Duration.ofSeconds(30));
    static final ConfigOption<String> DLQ_BOOTSTRAP =
            ConfigOptions.key("sink.dlq.bootstrap").stringType().noDefaultValue();
    static final ConfigOption<String> DLQ_TOPIC =
            ConfigOptions.key("sink.dlq.topic").stringType().noDefaultValue();

    public static final Set<ConfigOption<?>> OPTIONAL = Set.of(
            ROWS, INTERVAL, BUSY_INTERVAL, BYTES, RETRY_INITIAL, RETRY_MAX, REQUEST_TIMEOUT, DLQ_BOOTSTRAP, DLQ_TOPIC,
            FactoryUtil.SINK_PARALLELISM);

    private SinkOptions() {}

    static Flush flush(ReadableConfig options) {
        int rows = options.get(ROWS);
        Duration interval = options.get(INTERVAL);
        long bytes = options.get(BYTES).getBytes();
        require(rows >= 1, ROWS, "at least 1");
        require(interval.toMillis() >= 1, INTERVAL, "at least 1 ms");
        require(bytes >= 1, BYTES, "at least 1 byte");
        Duration busyInterval = options.getOptional(BUSY_INTERVAL).orElse(interval);
        require(busyInterval.compareTo(interval) >= 0, BUSY_INTERVAL, "at least the flush interval");
        return new Flush(rows, interval, busyInterval, bytes);
    }

    static Backoff backoff(ReadableConfig options) {
        var backoff = new Backoff(options.get(RETRY_INITIAL), options.get(RETRY_MAX));
        require(backoff.initial().toMillis() >= 1, RETRY_INITIAL, "at least 1 ms");
        require(backoff.max().compareTo(backoff.initial()) >= 0, RETRY_MAX, "at least the initial delay");
        return backoff;
    }

    static DeadLetterProducer.Config deadLetters(ReadableConfig options, String table, String stage) {
        String topic = options.getOptional(DLQ_TOPIC).orElse(table + "_dlq");
        return new DeadLetterProducer.Config(options.get(DLQ_BOOTSTRAP), topic, stage);
    }

    /** Throws a ValidationException that names the option if a condition is false. */
    public static void require(boolean holds, ConfigOption<?> option, String rule) {
        if (!holds) {
            throw new ValidationException("option '" + option.key() + "' must be " + rule);
        }
    }
}
