package souk.flink.avro;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.metrics.Counter;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;
import souk.flink.common.DeadLetterProducer;
import souk.flink.common.RejectedException;

/** Decodes records in the Confluent wire format; sends invalid records to the dead-letter topic. */
final class AvroDecoder implements DeserializationSchema<RowData> {
    private static final long serialVersionUID = 1;
    private static final int HEADER_BYTES = 5;

    private final String registryUrl;
    private final String readerJson;
    private final RowType rowType;
    private final TypeInformation<RowData> producedType;
    private final EventTimeLimit eventTimeLimit;
    private final NonNegativeFields nonNegative;
    private final DeadLetterProducer.Config deadLetterConfig;

    private transient Schema readerSchema;
    private transient SchemaRegistryClient registry;
    private transient Map<Integer, ValueReader> readers;
    private transient RecordInput input;
    private transient DeadLetterProducer deadLetters;
    private transient DeadLetterProducer timeDeadLetters;
    private transient DeadLetterProducer valueDeadLetters;
    private transient Counter rejected;

    /** @param eventTimeLimit how far in the future an event may be; null for no limit */
    AvroDecoder(
            String registryUrl, String readerJson, RowType rowType, TypeInformation<RowData> producedType,
            EventTimeLimit eventTimeLimit, NonNegativeFields nonNegative, DeadLetterProducer.Config deadLetterConfig) {
        this.registryUrl = registryUrl;
        this.readerJson = readerJson;
        this.rowType = rowType;
        this.producedType = producedType;
        this.eventTimeLimit = eventTimeLimit;
        this.nonNegative = nonNegative;
        this.deadLetterConfig = deadLetterConfig;
    }

    @Override
    public void open(InitializationContext context) {
        readerSchema = SchemaProjection.of(new Schema.Parser().parse(readerJson), rowType);
        registry = new SchemaRegistryClient(registryUrl);
        readers = new HashMap<>();
        input = new RecordInput();
        deadLetters = new DeadLetterProducer(deadLetterConfig);
        timeDeadLetters = new DeadLetterProducer(deadLetterConfig.at("time"));
        valueDeadLetters = new DeadLetterProducer(deadLetterConfig.at("value"));
        rejected = context.getMetricGroup().addGroup("souk").counter("recordsRefused");
    }

    /** Returns the row, or null for a tombstone and for a record that was sent to the dead-letter topic. */
    @Override
    public RowData deserialize(byte[] message) throws IOException {
        if (message == null) {
            return null;
        }
        try {
            RowData row;
            try {
                row = decode(message);
            } catch (RejectedException reason) {
                return reject(deadLetters, message, reason);
            }
            try {
                nonNegative.check(row);
            } catch (RejectedException reason) {
                return reject(valueDeadLetters, message, reason);
            }
            try {
                if (eventTimeLimit != null) {
                    eventTimeLimit.check(row, System.currentTimeMillis());
                }
                return row;
            } catch (RejectedException reason) {
                return reject(timeDeadLetters, message, reason);
            }
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new IOException("cancelled", cancelled);
        }
    }

    private RowData reject(DeadLetterProducer producer, byte[] message, RejectedException reason) throws InterruptedException {
        rejected.inc();
        producer.send(null, message, "application/octet-stream", reason.getMessage());
        return null;
    }

    private RowData decode(byte[] message) throws RejectedException, InterruptedException {
        if (message.length < HEADER_BYTES || message[0] != 0) {
            throw new RejectedException("not in the Confluent wire format: " + message.length + " bytes"
                    + (message.length == 0 ? "" : ", the first is " + (message[0] & 0xff)));
        }
        int id = ByteBuffer.wrap(message).getInt(1);
        ValueReader reader = readers.get(id);
        if (reader == null) {
            reader = ValueReaders.of(registry.schema(id), readerSchema);
            readers.put(id, reader);
        }
        try {
            input.start(message, HEADER_BYTES);
            var row = (RowData) reader.read(input);
            if (!input.decoder.isEnd()) {
                throw new RejectedException("bytes left over after the record (schema id " + id + ")");
            }
            return row;
        } catch (IOException | RuntimeException malformed) {
            throw new RejectedException("can't decode with schema id " + id + ": " + malformed, malformed);
        }
    }

    @Override
    public boolean isEndOfStream(RowData next) {
        return false;
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
        return producedType;
    }
}
