package souk.flink.common;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.apache.flink.formats.common.TimestampFormat;
import org.apache.flink.formats.json.JsonFormatOptions;
import org.apache.flink.formats.json.RowDataToJsonConverters;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.types.logical.RowType;

/** Sends rows to the dead-letter topic as JSON, keyed by their primary key. */
final class RowDeadLetterProducer implements AutoCloseable {
    private final RowType rowType;
    private final int[] key;
    private final DeadLetterProducer deadLetters;
    private final ObjectMapper mapper = new ObjectMapper();
    private final RowDataToJsonConverters.RowDataToJsonConverter converter;

    RowDeadLetterProducer(RowType rowType, int[] key, DeadLetterProducer deadLetters) {
        this.rowType = rowType;
        this.key = key;
        this.deadLetters = deadLetters;
        this.converter = new RowDataToJsonConverters(
                        TimestampFormat.ISO_8601, JsonFormatOptions.MapNullKeyMode.LITERAL, "null", false)
                .createConverter(rowType);
    }

    void send(RowData row, String reason) throws InterruptedException {
        try {
            var json = converter.convert(mapper, null, row);
            byte[] id = key.length == 0 ? null : Arrays.stream(key)
                    .mapToObj(position -> json.get(rowType.getFieldNames().get(position)).asText())
                    .collect(Collectors.joining(":")).getBytes(StandardCharsets.UTF_8);
            deadLetters.send(id, mapper.writeValueAsBytes(json), "application/json", reason);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @Override
    public void close() {
        deadLetters.close();
    }
}
