package souk.flink.avro;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonProcessingException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import souk.flink.common.Backoff;
import souk.flink.common.Refused;

/** Schemas by id, from a registry that speaks Confluent's API. */
final class Registry {
    private static final Logger LOG = LoggerFactory.getLogger(Registry.class);

    private final String url;
    private final ObjectMapper mapper = new ObjectMapper();
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .executor(Runnable::run)
            .build();

    Registry(String url) {
        this.url = url.replaceAll("/+$", "");
    }

    /**
     * The Avro schema with an id; waits for a registry that does not answer.
     *
     * @throws Refused the registry has no such id, or it is no Avro schema
     */
    Schema schema(int id) throws Refused, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(url + "/schemas/ids/" + id))
                .timeout(Duration.ofSeconds(10))
                .build();
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

    private Schema parse(int id, JsonNode answer) throws Refused {
        if (!"AVRO".equals(answer.path("schemaType").asText("AVRO"))) {
            throw new Refused("schema id " + id + " is no Avro schema but " + answer.path("schemaType").asText());
        }
        try {
            return new Schema.Parser().parse(answer.path("schema").asText());
        } catch (AvroRuntimeException malformed) {
            throw new Refused("schema id " + id + " is no Avro schema: " + malformed.getMessage(), malformed);
        }
    }

    /** An id that the registry does not know; a 404 of something that is no registry fails the job. */
    private Refused unknown(int id, String body) {
        try {
            if (mapper.readTree(body).has("error_code")) {
                return new Refused("unknown schema id " + id);
            }
        } catch (JsonProcessingException noRegistry) {
            LOG.debug("not JSON: {}", body, noRegistry);
        }
        throw new IllegalStateException("there is no schema registry at " + url + ": it answers 404 with " + body);
    }
}
