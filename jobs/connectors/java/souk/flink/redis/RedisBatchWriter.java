package souk.flink.redis;

import java.io.Serializable;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.apache.flink.table.data.RowData;
import redis.clients.jedis.BuilderFactory;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.CommandObject;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import souk.flink.common.RejectedException;
import souk.flink.common.BatchWriter;
import souk.flink.common.RetryableException;

/** Writes rows to Redis, a batch in one pipeline. */
final class RedisBatchWriter implements BatchWriter {
    /**
     * Prefixes of errors that a row can cause: its key holds another type, its score is not a number, its value is too
     * long. A request with an error in neither list is retried, because the error may be temporary: the server is
     * starting, busy, full or a replica.
     */
    private static final List<String> ROW =
            List.of("WRONGTYPE", "ERR value is not", "ERR resulting score is not a number", "ERR string exceeds");

    /** Prefixes of errors that no row can cause: permissions, unknown commands, a wrong database. */
    private static final List<String> WHOLE_TABLE =
            List.of("NOAUTH", "WRONGPASS", "NOPERM", "ERR unknown command", "ERR syntax error", "ERR wrong number of",
                    "ERR DB index");

    /** {@code maxSize} limits sorted sets, and {@code ttlMs} is a key's time to live; both may be null. */
    record Config(String url, int timeoutMs, RedisLayout layout, Integer maxSize, Long ttlMs) implements Serializable {}

    private final Config config;
    private final RedisCommands commands;
    private Jedis jedis;

    RedisBatchWriter(Config config) {
        this.config = config;
        this.commands = new RedisCommands(config.layout);
    }

    @Override
    public void open() throws RetryableException {
        try {
            connection().ping();
        } catch (JedisConnectionException | JedisDataException failure) {
            throw retryable(failure);
        }
    }

    @Override
    public void write(List<? extends RowData> rows) throws RetryableException, RejectedException {
        try {
            // All commands are built before the first is sent: a rejected row must not leave half a pipeline.
            var pending = new ArrayList<CommandArguments>();
            var keys = new LinkedHashSet<String>();
            for (RowData row : rows) {
                keys.add(commands.key(row));
                pending.addAll(commands.of(row));
            }
            Pipeline pipeline = connection().pipelined();
            var replies = new ArrayList<Response<?>>();
            for (CommandArguments command : pending) {
                replies.add(pipeline.executeCommand(new CommandObject<>(command, BuilderFactory.RAW_OBJECT)));
            }
            for (String key : keys) {
                if (config.maxSize != null) {
                    replies.add(pipeline.zremrangeByRank(key, 0, -config.maxSize - 1L));
                }
                if (config.ttlMs != null) {
                    replies.add(pipeline.pexpire(key, config.ttlMs));
                }
            }
            pipeline.sync();
            for (Response<?> reply : replies) {
                reply.get();
            }
        } catch (JedisConnectionException | JedisDataException failure) {
            if (startsWithAny(failure, ROW)) {
                throw new RejectedException(failure.getMessage(), failure);
            }
            throw retryable(failure);
        }
    }

    /** Returns the retryable form of a failure that no row caused; throws if the job must fail. */
    private RetryableException retryable(RuntimeException failure) {
        if (failure instanceof JedisAccessControlException || startsWithAny(failure, WHOLE_TABLE)) {
            throw new IllegalStateException("Redis: " + failure.getMessage(), failure);
        }
        close();
        return new RetryableException("Redis: " + failure.getMessage(), failure);
    }

    private static boolean startsWithAny(RuntimeException failure, List<String> prefixes) {
        return failure instanceof JedisDataException
                && prefixes.stream().anyMatch(String.valueOf(failure.getMessage())::startsWith);
    }

    private Jedis connection() {
        if (jedis == null) {
            jedis = new Jedis(URI.create(config.url), config.timeoutMs);
        }
        return jedis;
    }

    @Override
    public void close() {
        if (jedis != null) {
            jedis.close();
            jedis = null;
        }
    }
}
