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
import souk.flink.common.RejectedException;
import souk.flink.common.RetryableException;

/**
 * Writes the watermarks of all sinks of this process to the progress table: twice a second, one insert with all
 * watermarks that have advanced. One insert for each sink would double the number of inserts.
 */
final class ProgressReporter {
    private static final Logger LOG = LoggerFactory.getLogger(ProgressReporter.class);
    private static final long INTERVAL_MS = 500;
    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS").withZone(ZoneOffset.UTC);
    private static final Map<Destination, ProgressReporter> REPORTERS = new HashMap<>();

    private record Destination(ClickHouseClient.Config server, String table) {}

    private final Destination destination;
    private final ClickHouseClient client;
    private final VersionGenerator versions = new VersionGenerator();
    private final ObjectMapper mapper = new ObjectMapper();
    private final Set<TableProgress> sinks = new LinkedHashSet<>();
    private Thread writer;
    private volatile RuntimeException failure;

    private ProgressReporter(Destination destination) {
        this.destination = destination;
        this.client = new ClickHouseClient(destination.server);
    }

    /** Returns the reporter of a progress table (its quoted name); the sinks of this process share it. */
    static ProgressReporter of(ClickHouseClient.Config server, String table) {
        synchronized (REPORTERS) {
            return REPORTERS.computeIfAbsent(new Destination(server, table), ProgressReporter::new);
        }
    }

    /** Adds a sink. Its rows get higher versions than the rows of its table in the progress table. */
    void register(TableProgress sink) throws RetryableException, InterruptedException {
        String newest = "SELECT max(version) FROM " + destination.table
                + " WHERE table_name = {table:String} FORMAT TabSeparatedRaw";
        long version = Long.parseLong(client.query(newest, Map.of("table", sink.table())).strip());
        synchronized (this) {
            versions.startAbove(version);
            failure = null;
            sinks.add(sink);
            if (writer == null) {
                writer = new Thread(this::run, "souk-progress");
                writer.setDaemon(true);
                writer.start();
            }
        }
    }

    /** Removes a sink; a sink that replaces it writes higher versions. */
    void unregister(TableProgress sink) {
        synchronized (this) {
            sinks.remove(sink);
            if (sinks.isEmpty() && writer != null) {
                writer.interrupt();
                writer = null;
            }
        }
    }

    /** Throws the failure of a write that can't be retried, so that the calling sink's job fails. */
    void throwIfFailed() {
        if (failure != null) {
            throw new IllegalStateException(failure.getMessage(), failure);
        }
    }

    private void run() {
        int retry = 0;
        try {
            while (true) {
                Thread.sleep(INTERVAL_MS);
                try {
                    write(advanced());
                    retry = 0;
                } catch (RetryableException failed) {
                    if (Backoff.worthLogging(++retry)) {
                        LOG.warn("progress, retry {}: {}", retry, failed.getMessage());
                    }
                } catch (RuntimeException wrong) {
                    failure = wrong;
                }
            }
        } catch (InterruptedException stopped) {
            LOG.debug("the last sink was removed");
        }
    }

    private synchronized List<TableProgress> advanced() {
        return sinks.stream().filter(TableProgress::hasAdvanced).toList();
    }

    /** Writes the watermarks of these sinks; returns when ClickHouse has acknowledged them. */
    void write(List<TableProgress> reached) throws RetryableException, InterruptedException {
        if (reached.isEmpty()) {
            return;
        }
        var watermarks = new ArrayList<Long>();
        var body = new StringBuilder();
        synchronized (this) {
            for (TableProgress sink : reached) {
                watermarks.add(sink.reached());
                body.append(row(sink, sink.reached())).append('\n');
            }
        }
        try {
            byte[] rows = body.toString().getBytes(StandardCharsets.UTF_8);
            client.insert("INSERT INTO " + destination.table
                    + " (table_name, subtask, parallelism, watermark, version) FORMAT JSONEachRow", rows, rows.length);
        } catch (RejectedException rejected) {
            throw new IllegalStateException("the progress table rejected a row: " + rejected.getMessage(), rejected);
        }
        for (int i = 0; i < reached.size(); i++) {
            reached.get(i).reported(watermarks.get(i));
        }
    }

    private String row(TableProgress sink, long watermark) {
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
