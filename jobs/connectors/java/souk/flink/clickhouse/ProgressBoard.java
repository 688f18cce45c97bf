package souk.flink.clickhouse;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import souk.flink.common.Backoff;
import souk.flink.common.Refused;
import souk.flink.common.Unavailable;

/**
 * Writes how far the rows of all sinks of this process reach: one insert for all that moved since the last, twice a
 * second. An insert a sink would be as many again as those of the rows.
 */
final class ProgressBoard {
    private static final Logger LOG = LoggerFactory.getLogger(ProgressBoard.class);
    private static final long EVERY_MS = 500;
    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS").withZone(ZoneOffset.UTC);
    private static final Map<Place, ProgressBoard> BOARDS = new HashMap<>();

    private record Place(ClickHouseClient.Config server, String table) {}

    private final Place place;
    private final ClickHouseClient client;
    private final VersionClock versions = new VersionClock();
    private final ObjectMapper mapper = new ObjectMapper();
    private final Set<Progress> sinks = new LinkedHashSet<>();
    private Thread writer;
    private volatile RuntimeException failure;

    private ProgressBoard(Place place) {
        this.place = place;
        this.client = new ClickHouseClient(place.server);
    }

    /** The board of a progress table (its quoted name), which every sink of this process that writes there shares. */
    static ProgressBoard of(ClickHouseClient.Config server, String table) {
        synchronized (BOARDS) {
            return BOARDS.computeIfAbsent(new Place(server, table), ProgressBoard::new);
        }
    }

    /** Goes on above the versions that the progress table holds of a sink's table. */
    void join(Progress sink) throws Unavailable, InterruptedException {
        String newest = "SELECT max(version) FROM " + place.table
                + " WHERE table_name = {table:String} FORMAT TabSeparatedRaw";
        long version = Long.parseLong(client.query(newest, Map.of("table", sink.table())).strip());
        synchronized (this) {
            versions.above(version);
            failure = null;
            sinks.add(sink);
            if (writer == null) {
                writer = new Thread(this::write, "souk-progress");
                writer.setDaemon(true);
                writer.start();
            }
        }
    }

    /** Writes nothing of this sink from here on; a sink that goes on in its place has later versions. */
    void leave(Progress sink) {
        synchronized (this) {
            sinks.remove(sink);
            if (sinks.isEmpty() && writer != null) {
                writer.interrupt();
                writer = null;
            }
        }
    }

    /** Fails the job of a sink where the progress table itself is wrong. */
    void check() {
        if (failure != null) {
            throw new IllegalStateException(failure.getMessage(), failure);
        }
    }

    private void write() {
        int retry = 0;
        try {
            while (true) {
                Thread.sleep(EVERY_MS);
                try {
                    writeNow(moved());
                    retry = 0;
                } catch (Unavailable unavailable) {
                    if (Backoff.worthLogging(++retry)) {
                        LOG.warn("progress, retry {}: {}", retry, unavailable.getMessage());
                    }
                } catch (RuntimeException wrong) {
                    failure = wrong;
                }
            }
        } catch (InterruptedException left) {
            LOG.debug("no sink tells progress any more");
        }
    }

    private synchronized List<Progress> moved() {
        return sinks.stream().filter(Progress::moved).toList();
    }

    /** Writes how far these sinks have reached; returns when ClickHouse has it. */
    void writeNow(List<Progress> reached) throws Unavailable, InterruptedException {
        if (reached.isEmpty()) {
            return;
        }
        var watermarks = new ArrayList<Long>();
        var body = new StringBuilder();
        synchronized (this) {
            for (Progress sink : reached) {
                watermarks.add(sink.reached());
                body.append(row(sink, sink.reached())).append('\n');
            }
        }
        try {
            byte[] rows = body.toString().getBytes(StandardCharsets.UTF_8);
            client.insert("INSERT INTO " + place.table
                    + " (table_name, subtask, parallelism, watermark, version) FORMAT JSONEachRow", rows, rows.length);
        } catch (Refused refused) {
            throw new IllegalStateException("the progress table refuses a row: " + refused.getMessage(), refused);
        }
        for (int i = 0; i < reached.size(); i++) {
            reached.get(i).told(watermarks.get(i));
        }
    }

    private String row(Progress sink, long watermark) {
        try {
            return mapper.writeValueAsString(Map.of(
                    "table_name", sink.table(), "subtask", sink.subtask(), "parallelism", sink.parallelism(),
                    "watermark", FORMAT.format(Instant.ofEpochMilli(Math.max(0, watermark))),
                    "version", versions.next()));
        } catch (JsonProcessingException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
