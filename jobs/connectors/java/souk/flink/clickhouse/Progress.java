package souk.flink.clickhouse;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import souk.flink.common.Refused;
import souk.flink.common.Unavailable;

/** Tells the progress table how far one subtask's rows in one table reach. */
final class Progress {
    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS").withZone(ZoneOffset.UTC);

    private final ClickHouseClient client;
    private final String insert;
    private final String newest;
    private final String table;
    private final int subtask;
    private final int parallelism;
    private final VersionClock versions = new VersionClock();
    private final ObjectMapper mapper = new ObjectMapper();

    Progress(ClickHouseClient client, String progressTable, String table, int subtask, int parallelism) {
        this.client = client;
        this.insert = "INSERT INTO " + progressTable
                + " (table_name, subtask, parallelism, watermark, version) FORMAT JSONEachRow";
        this.newest = "SELECT max(version) FROM " + progressTable
                + " WHERE table_name = {table:String} FORMAT TabSeparatedRaw";
        this.table = table;
        this.subtask = subtask;
        this.parallelism = parallelism;
    }

    /** Goes on above what the progress table holds. */
    void open() throws Unavailable, InterruptedException {
        versions.above(Long.parseLong(client.query(newest, Map.of("table", table)).strip()));
    }

    void write(long watermark) throws Unavailable, InterruptedException {
        try {
            byte[] row = mapper.writeValueAsString(Map.of(
                    "table_name", table, "subtask", subtask, "parallelism", parallelism,
                    "watermark", FORMAT.format(Instant.ofEpochMilli(Math.max(0, watermark))),
                    "version", versions.next())).getBytes(StandardCharsets.UTF_8);
            client.insert(insert, row, row.length);
        } catch (Refused | JsonProcessingException refused) {
            throw new IllegalStateException("the progress table refuses a row: " + refused.getMessage(), refused);
        }
    }
}
