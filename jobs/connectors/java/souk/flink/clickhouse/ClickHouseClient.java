package souk.flink.clickhouse;

import java.io.IOException;
import java.io.Serializable;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import souk.flink.common.Refused;
import souk.flink.common.Unavailable;

/** ClickHouse's HTTP interface, and what its errors mean to a sink. */
final class ClickHouseClient {
    /**
     * Codes that can blame a row: a value that can't be read, converted or held (6, 25, 26, 27, 38, 41, 53, 69, 70, 72,
     * 117, 128, 130, 131, 153, 190, 321, 349, 376, 407, 467, 675, 676, 691), or that a constraint or throwIf refuses
     * (395, 469). Everything that is in no list may pass, and is tried again: a full disk (75, 243), too many files
     * (76), load, memory, replicas, a fault of the engine itself.
     */
    private static final Set<Integer> ROW = Set.of(
            6, 25, 26, 27, 38, 41, 53, 69, 70, 72, 117, 128, 130, 131, 153, 190, 321, 349, 376, 395, 407, 467, 469, 675,
            676, 691);

    /**
     * Codes for which no row is to blame: columns (7, 8, 10, 16, 20, 44, 47), functions, syntax, format, settings
     * and interfaces (46, 48, 62, 73, 115), the table or database (57, 60, 81, 218), users and rights (164, 192,
     * 193, 194, 291, 492, 497, 516).
     */
    private static final Set<Integer> WHOLE_TABLE = Set.of(
            7, 8, 10, 16, 20, 44, 46, 47, 48, 57, 60, 62, 73, 81, 115, 164, 192, 193, 194, 218, 291, 492, 497, 516);

    private static final Pattern CODE = Pattern.compile("Code: (\\d+)");

    /** Where ClickHouse is and who asks. */
    record Config(String url, String username, String password, String database, Duration timeout)
            implements Serializable {}

    private final Config config;
    private final HttpClient http;

    ClickHouseClient(Config config) {
        this.config = config;
        // The client's own work is short: done on its selector thread it needs no pool beside it.
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(5))
                .executor(Runnable::run)
                .build();
    }

    /** Runs a query and returns its answer as text. */
    String query(String sql, Map<String, String> parameters) throws Unavailable, InterruptedException {
        try {
            return send(parameters.entrySet().stream()
                            .map(entry -> "&param_" + entry.getKey() + "=" + encode(entry.getValue()))
                            .collect(Collectors.joining("", "/?database=" + encode("default"), "")),
                    HttpRequest.BodyPublishers.ofString(sql));
        } catch (Refused refused) {
            throw new IllegalStateException("ClickHouse refuses a query: " + refused.getMessage(), refused);
        }
    }

    /** Runs an INSERT with the first {@code length} bytes as its data. */
    void insert(String sql, byte[] rows, int length) throws Unavailable, Refused, InterruptedException {
        send("/?query=" + encode(sql), HttpRequest.BodyPublishers.ofByteArray(rows, 0, length));
    }

    private String send(String target, HttpRequest.BodyPublisher body)
            throws Unavailable, Refused, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(config.url.replaceAll("/+$", "") + target))
                .timeout(config.timeout)
                .header("X-ClickHouse-User", config.username)
                .header("X-ClickHouse-Key", config.password)
                .POST(body)
                .build();
        try {
            var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() == 200) {
                return answer.body();
            }
            throw failure(answer);
        } catch (IOException unreachable) {
            throw new Unavailable("ClickHouse at " + config.url + ": " + unreachable, unreachable);
        }
    }

    /** What an answer other than 200 means; throws what must fail the job. */
    private static Refused failure(HttpResponse<String> answer) throws Unavailable {
        int status = answer.statusCode();
        String message = answer.body().strip();
        int code = answer.headers().firstValue("X-ClickHouse-Exception-Code").map(Integer::parseInt).orElseGet(() -> {
            var found = CODE.matcher(message);
            return found.find() ? Integer.parseInt(found.group(1)) : 0;
        });
        // 252 is both a table with too many parts, which merges heal, and a batch over too many partitions, which
        // never works, but its halves do.
        boolean tooWide = code == 252 && message.contains("partitions for single INSERT");
        if (tooWide || ROW.contains(code)) {
            return new Refused(message);
        }
        boolean wrongRequest = code == 0 && status < 500 && status != 408 && status != 429;
        if (WHOLE_TABLE.contains(code) || status == 401 || status == 403 || wrongRequest) {
            throw new IllegalStateException("ClickHouse answers " + status + ": " + message);
        }
        throw new Unavailable("ClickHouse answers " + status + ": " + message);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
