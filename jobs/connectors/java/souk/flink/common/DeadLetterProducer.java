package souk.flink.common;

import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.flink.kafka.shaded.org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.errors.RetriableException;
import org.apache.flink.kafka.shaded.org.apache.kafka.common.serialization.ByteArraySerializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sends rejected rows and records with the reason to a Kafka topic, and waits for Kafka's acknowledgement. */
public final class DeadLetterProducer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DeadLetterProducer.class);
    private static final int MAX_REASON_LENGTH = 4_000;
    private static final int TRUNCATED_BYTES = 500_000;

    private final Config config;
    private KafkaProducer<byte[], byte[]> producer;

    /**
     * The destination of dead letters.
     *
     * @param bootstrap Kafka's bootstrap servers; null if a rejection must fail the job
     * @param topic the topic
     * @param stage what rejected the row or record: {@code decode}, {@code value}, {@code time}, {@code clickhouse} or {@code redis}
     */
    public record Config(String bootstrap, String topic, String stage) implements Serializable {
        /** Returns the same destination with another stage. */
        public Config at(String other) {
            return new Config(bootstrap, topic, other);
        }
    }

    public DeadLetterProducer(Config config) {
        this.config = config;
    }

    /** Sends one dead letter; retries until Kafka has acknowledged it. */
    public void send(byte[] key, byte[] value, String contentType, String reason) throws InterruptedException {
        if (config.bootstrap == null) {
            throw new IllegalStateException("rejected, and there is no dead-letter topic: " + reason);
        }
        LOG.warn("to {}: {}", config.topic, reason);
        byte[] body = value;
        for (int retry = 1; ; retry++) {
            try {
                producer().send(record(key, body, value.length, contentType, reason)).get();
                return;
            } catch (ExecutionException | RuntimeException failure) {
                Throwable cause = failure instanceof ExecutionException ? failure.getCause() : failure;
                if (cause instanceof RecordTooLargeException && body.length > TRUNCATED_BYTES) {
                    body = Arrays.copyOf(body, TRUNCATED_BYTES);
                } else if (cause instanceof RetriableException) {
                    LOG.warn("dead-letter topic {}: {}; trying again", config.topic, cause.getMessage());
                    Backoff.DEFAULT.pause(retry);
                } else {
                    throw new IllegalStateException("dead-letter topic " + config.topic + ": " + cause, cause);
                }
            }
        }
    }

    private ProducerRecord<byte[], byte[]> record(
            byte[] key, byte[] body, int length, String contentType, String reason) {
        var record = new ProducerRecord<>(config.topic, key, body);
        String shortened = reason.substring(0, Math.min(reason.length(), MAX_REASON_LENGTH));
        record.headers().add("reason", shortened.getBytes(StandardCharsets.UTF_8));
        record.headers().add("stage", config.stage.getBytes(StandardCharsets.UTF_8));
        record.headers().add("content_type", contentType.getBytes(StandardCharsets.UTF_8));
        if (body.length < length) {
            record.headers().add("truncated_from", Integer.toString(length).getBytes(StandardCharsets.UTF_8));
        }
        return record;
    }

    /** Returns the producer. It is created for the first dead letter, because most jobs never need it. */
    private KafkaProducer<byte[], byte[]> producer() {
        if (producer == null) {
            var serializer = new ByteArraySerializer();
            Map<String, Object> properties = Map.of(
                    "bootstrap.servers", config.bootstrap, "acks", "all", "enable.idempotence", true, "linger.ms", 0,
                    "compression.type", "gzip", "max.request.size", 64 << 20, "max.block.ms", 10_000);
            producer = new KafkaProducer<>(properties, serializer, serializer);
        }
        return producer;
    }

    @Override
    public void close() {
        if (producer != null) {
            producer.close(java.time.Duration.ofSeconds(1));
        }
    }
}
