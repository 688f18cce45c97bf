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
import souk.flink.common.RejectedException;
import souk.flink.common.RetryableException;

/** A client of ClickHouse's HTTP interface that classifies errors for sinks. */
final class ClickHouseClient {
    /**
     * Error codes that a row can cause: a value that can't be parsed, converted or stored (6, 25, 26, 27, 38, 41, 53, 69,
     * 70, 72, 117, 128, 130, 131, 153, 190, 321, 349, 376, 407, 467, 675, 676, 691), or that a constraint or throwIf
     * rejects (395, 469). A request with a code in neither list is retried, because the error may be temporary: a full
     * disk (75, 243), too many files (76), load, memory, replicas, an internal error.
     */
    private static final Set<Integer> ROW = Set.of(
            6, 25, 26, 27, 38, 41, 53, 69, 70, 72, 117, 128, 130, 131, 153, 190, 321, 349, 376, 395, 407, 467, 469, 675,
            676, 691);

    /**
     * Error codes that no row can cause: columns (7, 8, 10, 16, 20, 44, 47), functions, syntax, format, settings
     * and interfaces (46, 48, 62, 73, 115), the table or database (57, 60, 81, 218), users and rights (164, 192,
     * 193, 194, 291, 492, 497, 516).
     */
    private static final Set<Integer> WHOLE_TABLE = Set.of(
            7, 8, 10, 16, 20, 44, 46, 47, 48, 57, 60, 62, 73, 81, 115, 164, 192, 193, 194, 218, 291, 492, 497, 516);

    private static final Pattern CODE = Pattern.compile("Code: (\\d+)");

    /** ClickHouse's address and the user. */
    record Config(String url, String username, String password, String database, Duration timeout)
            implements Serializable {}

    private final Config config;
    private final HttpClient http;

    ClickHouseClient(Config config) {
        this.config = config;
        // The client's own tasks are short, so its selector thread runs them and no thread pool is needed.
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofSeconds(5))
                .executor(Runnable::run)
                .build();
    }

    /** Runs a query and returns its answer as text. */
    String query(String sql, Map<String, String> parameters) throws RetryableException, InterruptedException {
        try {
            return send(parameters.entrySet().stream()
                            .map(entry -> "&param_" + entry.getKey() + "=" + encode(entry.getValue()))
                            .collect(Collectors.joining("", "/?database=" + encode("default"), "")),
                    HttpRequest.BodyPublishers.ofString(sql));
        } catch (RejectedException rejected) {
            throw new IllegalStateException("ClickHouse rejected a query: " + rejected.getMessage(), rejected);
        }
    }

    /** Runs an INSERT with the first {@code length} bytes as its data. */
    void insert(String sql, byte[] rows, int length) throws RetryableException, RejectedException, InterruptedException {
        send("/?query=" + encode(sql), HttpRequest.BodyPublishers.ofByteArray(rows, 0, length));
    }

    private String send(String target, HttpRequest.BodyPublisher body)
            throws RetryableException, RejectedException, InterruptedException {
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
            throw new RetryableException("ClickHouse at " + config.url + ": " + unreachable, unreachable);
        }
    }

    /** Classifies an answer other than 200; throws if the job must fail. */
    private static RejectedException failure(HttpResponse<String> answer) throws RetryableException {
        int status = answer.statusCode();
        String message = answer.body().strip();
        int code = answer.headers().firstValue("X-ClickHouse-Exception-Code").map(Integer::parseInt).orElseGet(() -> {
            var found = CODE.matcher(message);
            return found.find() ? Integer.parseInt(found.group(1)) : 0;
        });
        // 252 has two meanings: the table has too many parts, which merges will reduce, or the batch has rows of too
        // many partitions, in which case smaller batches work.
        boolean tooManyPartitions = code == 252 && message.contains("partitions for single INSERT");
        if (tooManyPartitions || ROW.contains(code)) {
            return new RejectedException(message);
        }
        boolean wrongRequest = code == 0 && status < 500 && status != 408 && status != 429;
        if (WHOLE_TABLE.contains(code) || status == 401 || status == 403 || wrongRequest) {
            throw new IllegalStateException("ClickHouse answers " + status + ": " + message);
        }
        throw new RetryableException("ClickHouse answers " + status + ": " + message);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
