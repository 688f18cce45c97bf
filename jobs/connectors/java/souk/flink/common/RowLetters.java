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

/** Dead letters of rows: the row as JSON, keyed by its primary key. */
final class RowLetters implements AutoCloseable {
    private final RowType rowType;
    private final int[] key;
    private final DeadLetters letters;
    private final ObjectMapper mapper = new ObjectMapper();
    private final RowDataToJsonConverters.RowDataToJsonConverter converter;

    RowLetters(RowType rowType, int[] key, DeadLetters letters) {
        this.rowType = rowType;
        this.key = key;
        this.letters = letters;
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
            letters.send(id, mapper.writeValueAsBytes(json), "application/json", reason);
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    @Override
    public void close() {
        letters.close();
    }
}
