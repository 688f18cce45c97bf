package souk.flink.avro;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParseException;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.format.DecodingFormat;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DeserializationFormatFactory;
import org.apache.flink.table.factories.DynamicTableFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;
import souk.flink.common.DeadLetterProducer;

/** Creates the format {@code souk-avro}; README.md explains the options. */
public final class AvroFormatFactory implements DeserializationFormatFactory {
    private static final ConfigOption<String> REGISTRY =
            ConfigOptions.key("registry").stringType().noDefaultValue();
    private static final ConfigOption<String> SCHEMA = ConfigOptions.key("schema").stringType().noDefaultValue();
    private static final ConfigOption<String> DLQ_BOOTSTRAP =
            ConfigOptions.key("dlq.bootstrap").stringType().noDefaultValue();
    private static final ConfigOption<String> DLQ_TOPIC =
            ConfigOptions.key("dlq.topic").stringType().noDefaultValue();
    private static final ConfigOption<String> EVENT_TIME =
            ConfigOptions.key("event-time").stringType().noDefaultValue();
    private static final ConfigOption<Duration> MAX_AHEAD =
            ConfigOptions.key("max-ahead").durationType().defaultValue(Duration.ofDays(1));

    private static final ConfigOption<List<String>> NON_NEGATIVE =
            ConfigOptions.key("non-negative").stringType().asList().defaultValues();

    @Override
    public String factoryIdentifier() {
        return "souk-avro";
    }

    @Override
    public Set<ConfigOption<?>> requiredOptions() {
        return Set.of(REGISTRY, SCHEMA);
    }

    @Override
    public Set<ConfigOption<?>> optionalOptions() {
        return Set.of(DLQ_BOOTSTRAP, DLQ_TOPIC, EVENT_TIME, MAX_AHEAD, NON_NEGATIVE);
    }

    @Override
    public DecodingFormat<DeserializationSchema<RowData>> createDecodingFormat(
            DynamicTableFactory.Context context, ReadableConfig options) {
        FactoryUtil.validateFactoryOptions(this, options);
        String bootstrap = options.get(DLQ_BOOTSTRAP);
        String topic = options.get(DLQ_TOPIC);
        if (bootstrap != null && topic == null) {
            throw new ValidationException("souk-avro: 'dlq.bootstrap' needs 'dlq.topic'");
        }
        String json = options.get(SCHEMA);
        try {
            new Schema.Parser().parse(json);
        } catch (SchemaParseException malformed) {
            throw new ValidationException("souk-avro: 'schema' is not an Avro schema: " + malformed.getMessage());
        }
        return new Format(
                options.get(REGISTRY), json, options.get(EVENT_TIME), options.get(MAX_AHEAD), options.get(NON_NEGATIVE),
                new DeadLetterProducer.Config(bootstrap, topic, "decode"));
    }

    private record Format(
            String registry, String schema, String eventTime, Duration maxAhead, List<String> nonNegative,
            DeadLetterProducer.Config deadLetters)
            implements DecodingFormat<DeserializationSchema<RowData>> {

        @Override
        public DeserializationSchema<RowData> createRuntimeDecoder(
                DynamicTableSource.Context context, DataType physical) {
            var rowType = (RowType) physical.getLogicalType();
            SchemaProjection.of(new Schema.Parser().parse(schema), rowType);
            var eventTimeLimit = eventTime == null ? null : EventTimeLimit.of(rowType, eventTime, maxAhead);
            return new AvroDecoder(
                    registry, schema, rowType, context.createTypeInformation(physical), eventTimeLimit,
                    NonNegativeFields.of(rowType, nonNegative), deadLetters);
        }

        @Override
        public ChangelogMode getChangelogMode() {
            return ChangelogMode.insertOnly();
        }
    }
}
