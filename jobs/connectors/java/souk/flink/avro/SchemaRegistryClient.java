package souk.flink.avro;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import souk.flink.common.Backoff;
import souk.flink.common.RejectedException;

/** Fetches schemas by id from a registry with Confluent's API. */
final class SchemaRegistryClient {
    private static final Logger LOG = LoggerFactory.getLogger(SchemaRegistryClient.class);

    private final String url;
    private final String authorization;
    private final ObjectMapper mapper = new ObjectMapper();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .executor(Runnable::run)
            .build();

    /** @param url the base URL; it may contain a user and a password, which are not logged */
    SchemaRegistryClient(String url) {
        String user = URI.create(url).getRawUserInfo();
        this.url = url.replaceFirst("://[^/@]*@", "://").replaceAll("/+$", "");
        this.authorization = user == null ? null : "Basic " + Base64.getEncoder().encodeToString(decode(user));
    }

    private static byte[] decode(String user) {
        return URLDecoder.decode(user.replace("+", "%2B"), UTF_8).getBytes(UTF_8);
    }

    /**
     * Returns the Avro schema with an id; retries until the registry answers.
     *
     * @throws RejectedException the registry has no schema with this id, or the schema is not Avro
     */
    Schema schema(int id) throws RejectedException, InterruptedException {
        var builder = HttpRequest.newBuilder(URI.create(url + "/schemas/ids/" + id))
                .timeout(Duration.ofSeconds(10));
        if (authorization != null) {
            builder.header("Authorization", authorization);
        }
        var request = builder.build();
        for (int retry = 1; ; retry++) {
            String failure;
            try {
                var answer = http.send(request, HttpResponse.BodyHandlers.ofString());
                if (answer.statusCode() == 200) {
                    return parse(id, mapper.readTree(answer.body()));
                }
                if (answer.statusCode() == 404) {
                    throw unknown(id, answer.body());
                }
                failure = "answers " + answer.statusCode() + ": " + answer.body();
            } catch (IOException unreachable) {
                failure = unreachable.toString();
            }
            if (Backoff.worthLogging(retry)) {
                LOG.warn("schema registry {}: {}; trying again", url, failure);
            }
            Backoff.DEFAULT.pause(retry);
        }
    }

    private Schema parse(int id, JsonNode answer) throws RejectedException {
        if (!"AVRO".equals(answer.path("schemaType").asText("AVRO"))) {
            throw new RejectedException("schema id " + id + " is not an Avro schema but " + answer.path("schemaType").asText());
        }
        try {
            return new Schema.Parser().parse(answer.path("schema").asText());
        } catch (AvroRuntimeException malformed) {
            throw new RejectedException("schema id " + id + " is not an Avro schema: " + malformed.getMessage(), malformed);
        }
    }

    /** Returns the rejection for an unknown id; a 404 from a server that is not a registry fails the job. */
    private RejectedException unknown(int id, String body) {
        try {
            if (mapper.readTree(body).has("error_code")) {
                return new RejectedException("unknown schema id " + id);
            }
        } catch (JsonProcessingException noRegistry) {
            LOG.debug("not JSON: {}", body, noRegistry);
        }
        throw new IllegalStateException("there is no schema registry at " + url + ": it answers 404 with " + body);
    }
}
