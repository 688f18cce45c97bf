package souk.flink.redis;

import static souk.flink.common.SinkOptions.require;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.logical.RowType;
import souk.flink.common.BufferedTableSink;
import souk.flink.common.DeletePolicy;
import souk.flink.common.SinkOptions;

/** Creates {@code souk-redis} sinks; README.md explains the options. */
public final class RedisSinkFactory implements DynamicTableSinkFactory {
    private static final ConfigOption<RedisLayout.Mode> MODE =
            ConfigOptions.key("mode").enumType(RedisLayout.Mode.class).noDefaultValue();
    private static final ConfigOption<String> KEY = ConfigOptions.key("key").stringType().noDefaultValue();
    private static final ConfigOption<String> KEY_PREFIX =
            ConfigOptions.key("key.prefix").stringType().defaultValue("");
    private static final ConfigOption<Integer> MAX_SIZE =
            ConfigOptions.key("zset.max-size").intType().noDefaultValue();
    private static final ConfigOption<Duration> TTL = ConfigOptions.key("ttl").durationType().noDefaultValue();

    @Override
    public String factoryIdentifier() {
        return "souk-redis";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(SinkOptions.URL, MODE);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        var options = new HashSet<>(SinkOptions.OPTIONAL);
        options.addAll(Set.of(KEY, KEY_PREFIX, MAX_SIZE, TTL));
        return options;
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        var helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        var options = helper.getOptions();
        String url = options.get(SinkOptions.URL);
        require(url.matches("rediss?://.+"), SinkOptions.URL, "like redis://127.0.0.1:6379/0, not " + url);
        Integer maxSize = options.get(MAX_SIZE);
        require(maxSize == null || maxSize > 0, MAX_SIZE, "at least 1");
        Duration ttl = options.get(TTL);
        require(ttl == null || ttl.toMillis() > 0, TTL, "at least 1 ms");

        var schema = context.getCatalogTable().getResolvedSchema();
        boolean raiseOnly = schema.getPrimaryKey().isEmpty();
        var rowType = (RowType) schema.toSinkRowDataType().getLogicalType();
        int[] key = raiseOnly
                ? IntStream.range(0, rowType.getFieldCount() - 1).toArray()
                : BufferedTableSink.key(schema, rowType);
        var layout = new RedisLayout(
                options.get(MODE), options.get(KEY), options.get(KEY_PREFIX), rowType,
                key, raiseOnly);
        layout.check();
        String table = options.getOptional(KEY).orElse(context.getObjectIdentifier().getObjectName());
        var config = new RedisBatchWriter.Config(
                url, (int) options.get(SinkOptions.REQUEST_TIMEOUT).toMillis(), layout, maxSize,
                ttl == null ? null : ttl.toMillis());
        return BufferedTableSink.of(
                options, schema, table, "redis", DeletePolicy.WRITE, false,
                (subtask, parallelism) -> new RedisBatchWriter(config));
    }
}
