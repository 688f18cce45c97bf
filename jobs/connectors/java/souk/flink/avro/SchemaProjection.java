package souk.flink.avro;

import java.util.ArrayList;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.LogicalTypeRoot;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;

/** Reduces a reader's schema to the fields that a Flink table declares, and checks that the types agree. */
final class SchemaProjection {
    private SchemaProjection() {}

    /**
     * Returns the part of {@code schema} that {@code type} declares.
     *
     * @throws ValidationException a column is not a field of the schema, or has another type
     */
    static Schema of(Schema schema, RowType type) {
        return project(schema, type, schema.getName());
    }

    private static Schema project(Schema schema, LogicalType type, String path) {
        if (schema.getType() == Schema.Type.UNION) {
            return union(schema, type, path);
        }
        return switch (schema.getType()) {
            case RECORD -> record(schema, type, path);
            case ARRAY -> {
                require(type.is(LogicalTypeRoot.ARRAY), schema, type, path);
                yield Schema.createArray(
                        project(schema.getElementType(), ((ArrayType) type).getElementType(), path + "[]"));
            }
            case MAP -> {
                require(type.is(LogicalTypeRoot.MAP) && isText(((MapType) type).getKeyType()), schema, type, path);
                yield Schema.createMap(
                        project(schema.getValueType(), ((MapType) type).getValueType(), path + " value"));
            }
            default -> {
                require(agrees(schema, type), schema, type, path);
                yield schema;
            }
        };
    }

    private static Schema record(Schema schema, LogicalType type, String path) {
        require(type.is(LogicalTypeRoot.ROW), schema, type, path);
        var fields = new ArrayList<Schema.Field>();
        for (RowType.RowField column : ((RowType) type).getFields()) {
            Schema.Field field = schema.getField(column.getName());
            if (field == null) {
                throw new ValidationException(
                        "souk-avro: the schema " + path + " has no field " + column.getName());
            }
            Schema narrowed = project(field.schema(), column.getType(), path + "." + column.getName());
            fields.add(new Schema.Field(field, narrowed));
        }
        Schema narrowed = Schema.createRecord(schema.getName(), schema.getDoc(), schema.getNamespace(), false, fields);
        schema.getAliases().forEach(narrowed::addAlias);
        return narrowed;
    }

    private static Schema union(Schema schema, LogicalType type, String path) {
        var branches = new ArrayList<Schema>();
        int values = 0;
        for (Schema branch : schema.getTypes()) {
            boolean isNull = branch.getType() == Schema.Type.NULL;
            require(!isNull || type.isNullable(), schema, type, path);
            branches.add(isNull ? branch : project(branch, type, path));
            values += isNull ? 0 : 1;
        }
        require(values == 1, schema, type, path);
        return Schema.createUnion(branches);
    }

    private static boolean agrees(Schema schema, LogicalType type) {
        var logical = schema.getLogicalType();
        return switch (schema.getType()) {
            case STRING, ENUM -> isText(type);
            case BOOLEAN -> type.is(LogicalTypeRoot.BOOLEAN);
            case INT -> logical instanceof LogicalTypes.Date
                    ? type.is(LogicalTypeRoot.DATE)
                    : logical == null && type.is(LogicalTypeRoot.INTEGER);
            case LONG -> logical instanceof LogicalTypes.TimestampMillis
                    ? type.is(LogicalTypeRoot.TIMESTAMP_WITHOUT_TIME_ZONE)
                            || type.is(LogicalTypeRoot.TIMESTAMP_WITH_LOCAL_TIME_ZONE)
                    : logical == null && type.is(LogicalTypeRoot.BIGINT);
            case FLOAT -> type.is(LogicalTypeRoot.FLOAT);
            case DOUBLE -> type.is(LogicalTypeRoot.DOUBLE);
            case BYTES -> logical == null && type.is(LogicalTypeRoot.VARBINARY);
            default -> false;
        };
    }

    private static boolean isText(LogicalType type) {
        return type.is(LogicalTypeRoot.VARCHAR);
    }

    private static void require(boolean holds, Schema schema, LogicalType type, String path) {
        if (!holds) {
            throw new ValidationException("souk-avro: " + path + " is " + schema + " in the schema and "
                    + type.asSummaryString() + " in the table");
        }
    }
}
