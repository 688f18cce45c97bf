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
    /**
     * How answers begin that blame a row: something else is in its key, its score is no number, its value too long.
     * Everything that is in no list may pass, and is tried again: a server that is starting, busy, full, not the one
     * that writes, or in a state that this list does not know.
     */
    private static final List<String> ROW =
            List.of("WRONGTYPE", "ERR value is not", "ERR resulting score is not a number", "ERR string exceeds");

    /** How answers begin for which no row is to blame: rights, a command that this server lacks, its database. */
    private static final List<String> WHOLE_TABLE =
            List.of("NOAUTH", "WRONGPASS", "NOPERM", "ERR unknown command", "ERR syntax error", "ERR wrong number of",
                    "ERR DB index");

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
            throw unavailable(failure);
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
            if (begins(failure, ROW)) {
                throw new Refused(failure.getMessage(), failure);
            }
            throw unavailable(failure);
        }
    }

    /** What a failure means that blames no row; throws what must fail the job. */
    private Unavailable unavailable(RuntimeException failure) {
        if (failure instanceof JedisAccessControlException || begins(failure, WHOLE_TABLE)) {
            throw new IllegalStateException("Redis: " + failure.getMessage(), failure);
        }
        close();
        return new Unavailable("Redis: " + failure.getMessage(), failure);
    }

    private static boolean begins(RuntimeException failure, List<String> answers) {
        return failure instanceof JedisDataException
                && answers.stream().anyMatch(String.valueOf(failure.getMessage())::startsWith);
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
