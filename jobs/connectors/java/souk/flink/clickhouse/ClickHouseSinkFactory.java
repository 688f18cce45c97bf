package souk.flink.clickhouse;

import static souk.flink.common.SinkOptions.require;

import java.util.HashSet;
import java.util.Set;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.table.connector.sink.DynamicTableSink;
import org.apache.flink.table.factories.DynamicTableSinkFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.logical.RowType;
import souk.flink.common.BufferedTableSink;
import souk.flink.common.DeletePolicy;
import souk.flink.common.SinkOptions;

/** Creates {@code souk-clickhouse} sinks; README.md explains the options. */
public final class ClickHouseSinkFactory implements DynamicTableSinkFactory {
    private static final ConfigOption<String> USERNAME =
            ConfigOptions.key("username").stringType().defaultValue("default");
    private static final ConfigOption<String> PASSWORD =
            ConfigOptions.key("password").stringType().defaultValue("");
    private static final ConfigOption<String> DATABASE =
            ConfigOptions.key("database").stringType().defaultValue("default");
    private static final ConfigOption<String> TABLE = ConfigOptions.key("table").stringType().noDefaultValue();
    private static final ConfigOption<String> VERSION_COLUMN =
            ConfigOptions.key("sink.version-column").stringType().noDefaultValue();
    private static final ConfigOption<String> DELETED_COLUMN =
            ConfigOptions.key("sink.deleted-column").stringType().noDefaultValue();
    private static final ConfigOption<Boolean> IGNORE_DELETES =
            ConfigOptions.key("sink.ignore-deletes").booleanType().defaultValue(false);
    private static final ConfigOption<String> PROGRESS_TABLE =
            ConfigOptions.key("sink.progress.table").stringType().noDefaultValue();

    @Override
    public String factoryIdentifier() {
        return "souk-clickhouse";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(SinkOptions.URL);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        var options = new HashSet<>(SinkOptions.OPTIONAL);
        options.addAll(Set.of(
                USERNAME, PASSWORD, DATABASE, TABLE, VERSION_COLUMN, DELETED_COLUMN, IGNORE_DELETES, PROGRESS_TABLE));
        return options;
    }

    @Override
    public DynamicTableSink createDynamicTableSink(Context context) {
        var helper = FactoryUtil.createTableFactoryHelper(this, context);
        helper.validate();
        var options = helper.getOptions();
        String url = options.get(SinkOptions.URL);
        require(url.matches("https?://[^/]+/?"), SinkOptions.URL, "like http://127.0.0.1:8123, not " + url);
        var schema = context.getCatalogTable().getResolvedSchema();
        var rowType = (RowType) schema.toSinkRowDataType().getLogicalType();
        for (var filled : Set.of(VERSION_COLUMN, DELETED_COLUMN)) {
            String column = options.get(filled);
            require(column == null || !rowType.getFieldNames().contains(column), filled,
                    "a column that the Flink table does not declare: the sink fills it");
        }
        require(!options.get(IGNORE_DELETES) || options.get(DELETED_COLUMN) == null, IGNORE_DELETES,
                "false where 'sink.deleted-column' is set");
        DeletePolicy deletes = options.get(IGNORE_DELETES) ? DeletePolicy.IGNORE
                : options.get(DELETED_COLUMN) != null ? DeletePolicy.WRITE : DeletePolicy.REJECT;
        String table = options.getOptional(TABLE).orElse(context.getObjectIdentifier().getObjectName());
        var server = new ClickHouseClient.Config(
                url, options.get(USERNAME), options.get(PASSWORD), options.get(DATABASE),
                options.get(SinkOptions.REQUEST_TIMEOUT));
        var config = new ClickHouseBatchWriter.Config(
                server, table, rowType, options.get(VERSION_COLUMN), options.get(DELETED_COLUMN),
                options.get(PROGRESS_TABLE));
        return BufferedTableSink.of(
                options, schema, table, "clickhouse", deletes, config.progressTable() != null,
                (subtask, parallelism) -> new ClickHouseBatchWriter(config, subtask, parallelism));
    }
}
