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
import souk.flink.common.Refused;
import souk.flink.common.Target;
import souk.flink.common.Unavailable;

/** Writes rows to Redis, a batch in one pipeline. */
final class RedisTarget implements Target {
    /** What a server answers that is starting, busy, full or not the one that writes. */
    private static final List<String> RETRYABLE =
            List.of("LOADING", "BUSY", "OOM", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS",
                    "MISCONF", "ERR max number of clients");

    /** What a server answers to a user without rights. */
    private static final List<String> FORBIDDEN = List.of("NOAUTH", "WRONGPASS", "NOPERM");

    /** Where Redis is, how rows lie in it, and (or null) the longest sorted set and the life of a key. */
    record Config(String url, int timeoutMs, Layout layout, Integer maxSize, Long ttlMs) implements Serializable {}

    private final Config config;
    private final Commands commands;
    private Jedis jedis;

    RedisTarget(Config config) {
        this.config = config;
        this.commands = new Commands(config.layout);
    }

    @Override
    public void open() throws Unavailable {
        try {
            connection().ping();
        } catch (JedisConnectionException | JedisDataException failure) {
            unavailableOrFatal(failure);
            throw new IllegalStateException("Redis: " + failure.getMessage(), failure);
        }
    }

    @Override
    public void write(List<? extends RowData> rows) throws Unavailable, Refused {
        try {
            // All commands are made before the first is sent: a row that can't be told must not leave half a pipeline.
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
            unavailableOrFatal(failure);
            throw new Refused(failure.getMessage(), failure);
        }
    }

    private void unavailableOrFatal(RuntimeException failure) throws Unavailable {
        String message = String.valueOf(failure.getMessage());
        if (failure instanceof JedisConnectionException || RETRYABLE.stream().anyMatch(message::startsWith)) {
            close();
            throw new Unavailable("Redis: " + message, failure);
        }
        if (failure instanceof JedisAccessControlException || FORBIDDEN.stream().anyMatch(message::startsWith)) {
            throw new IllegalStateException("Redis: " + message, failure);
        }
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
