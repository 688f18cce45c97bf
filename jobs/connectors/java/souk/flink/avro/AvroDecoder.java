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
import souk.flink.common.DeadLetters;
import souk.flink.common.Refused;

/** Decodes records in the Confluent wire format; what can't be decoded or believed becomes a dead letter. */
final class AvroDecoder implements DeserializationSchema<RowData> {
    private static final long serialVersionUID = 1;
    private static final int HEADER_BYTES = 5;

    private final String registryUrl;
    private final String readerJson;
    private final RowType rowType;
    private final TypeInformation<RowData> producedType;
    private final Horizon horizon;
    private final DeadLetters.Config deadLetterConfig;

    private transient Schema reader;
    private transient Registry registry;
    private transient Map<Integer, Reader> readers;
    private transient Input input;
    private transient DeadLetters deadLetters;
    private transient DeadLetters untimely;
    private transient Counter refused;

    /** @param horizon how far ahead an event may be; null: as far as it likes */
    AvroDecoder(
            String registryUrl, String readerJson, RowType rowType, TypeInformation<RowData> producedType,
            Horizon horizon, DeadLetters.Config deadLetterConfig) {
        this.registryUrl = registryUrl;
        this.readerJson = readerJson;
        this.rowType = rowType;
        this.producedType = producedType;
        this.horizon = horizon;
        this.deadLetterConfig = deadLetterConfig;
    }

    @Override
    public void open(InitializationContext context) {
        reader = Projection.of(new Schema.Parser().parse(readerJson), rowType);
        registry = new Registry(registryUrl);
        readers = new HashMap<>();
        input = new Input();
        deadLetters = new DeadLetters(deadLetterConfig);
        untimely = new DeadLetters(deadLetterConfig.at("time"));
        refused = context.getMetricGroup().addGroup("souk").counter("recordsRefused");
    }

    /** The row; null for a tombstone and for a record that was dead-lettered. */
    @Override
    public RowData deserialize(byte[] message) throws IOException {
        if (message == null) {
            return null;
        }
        try {
            RowData row;
            try {
                row = decode(message);
            } catch (Refused reason) {
                return refuse(deadLetters, message, reason);
            }
            try {
                if (horizon != null) {
                    horizon.check(row, System.currentTimeMillis());
                }
                return row;
            } catch (Refused reason) {
                return refuse(untimely, message, reason);
            }
        } catch (InterruptedException cancelled) {
            Thread.currentThread().interrupt();
            throw new IOException("cancelled", cancelled);
        }
    }

    private RowData refuse(DeadLetters letters, byte[] message, Refused reason) throws InterruptedException {
        refused.inc();
        letters.send(null, message, "application/octet-stream", reason.getMessage());
        return null;
    }

    private RowData decode(byte[] message) throws Refused, InterruptedException {
        if (message.length < HEADER_BYTES || message[0] != 0) {
            throw new Refused("not in the Confluent wire format: " + message.length + " bytes"
                    + (message.length == 0 ? "" : ", the first is " + (message[0] & 0xff)));
        }
        int id = ByteBuffer.wrap(message).getInt(1);
        Reader plan = readers.get(id);
        if (plan == null) {
            plan = Readers.of(registry.schema(id), reader);
            readers.put(id, plan);
        }
        try {
            input.start(message, HEADER_BYTES);
            var row = (RowData) plan.read(input);
            if (!input.decoder.isEnd()) {
                throw new Refused("bytes left over after the record (schema id " + id + ")");
            }
            return row;
        } catch (IOException | RuntimeException malformed) {
            throw new Refused("can't decode with schema id " + id + ": " + malformed, malformed);
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
