package souk.flink.clickhouse;

import java.math.BigDecimal;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.flink.table.data.ArrayData;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.MapData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.types.logical.ArrayType;
import org.apache.flink.table.types.logical.LogicalType;
import org.apache.flink.table.types.logical.MapType;
import org.apache.flink.table.types.logical.RowType;
import souk.flink.common.RejectedException;

/** Creates encoders that write values of a Flink type as a ClickHouse type. */
final class ColumnEncoders {
    private static final Set<String> INTEGERS =
            Set.of("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64");

    private ColumnEncoders() {}

    /**
     * Returns an encoder that also takes null. ClickHouse has no {@code Nullable(Map)}, so a null map becomes an empty one.
     *
     * @param path the column, and the field within it, for messages
     * @throws IllegalStateException a value of the Flink type does not fit the ClickHouse type
     */
    static ColumnEncoder of(LogicalType from, ColumnType to, String path) {
        ColumnEncoder plain = plain(from, to, path);
        if (to.nullable()) {
            return (value, out) -> {
                out.int8(value == null ? 1 : 0);
                if (value != null) {
                    plain.write(value, out);
                }
            };
        }
        if (to.name().equals("Map")) {
            return (value, out) -> {
                if (value == null) {
                    out.length(0);
                } else {
                    plain.write(value, out);
                }
            };
        }
        return (value, out) -> {
            if (value == null) {
                throw new RejectedException(path + " is null, and the ClickHouse column is not Nullable");
            }
            plain.write(value, out);
        };
    }

    private static ColumnEncoder plain(LogicalType from, ColumnType to, String path) {
        String name = to.name();
        ColumnEncoder found = switch (from.getTypeRoot()) {
            case BOOLEAN -> name.equals("Bool") || name.equals("UInt8")
                    ? (value, out) -> out.int8((Boolean) value ? 1 : 0) : null;
            case TINYINT, SMALLINT, INTEGER, BIGINT -> INTEGERS.contains(name) ? integer(name, path) : null;
            case FLOAT, DOUBLE -> floating(name);
            case DECIMAL -> name.equals("Decimal") ? decimal(to, path) : null;
            case CHAR, VARCHAR -> switch (name) {
                case "String" -> (value, out) -> out.string(((StringData) value).toBytes());
                case "Enum8", "Enum16" -> symbol(to, path);
                default -> null;
            };
            case BINARY, VARBINARY -> name.equals("String") ? (value, out) -> out.string((byte[]) value) : null;
            case DATE -> TimeEncoders.date(name, path);
            case TIMESTAMP_WITHOUT_TIME_ZONE, TIMESTAMP_WITH_LOCAL_TIME_ZONE -> TimeEncoders.timestamp(to, path);
            case ARRAY -> name.equals("Array") ? array(((ArrayType) from).getElementType(), to, path) : null;
            case MAP -> name.equals("Map") ? map((MapType) from, to, path) : null;
            case ROW -> name.equals("Tuple") ? tuple((RowType) from, to, path) : null;
            default -> null;
        };
        if (found == null) {
            throw new IllegalStateException(path + ": Flink's " + from.asSummaryString()
                    + " can't go into ClickHouse's " + name);
        }
        return found;
    }

    private static ColumnEncoder integer(String name, String path) {
        boolean signed = name.startsWith("I");
        int width = Integer.parseInt(name.substring(signed ? 3 : 4)) / 8;
        int bits = 8 * width - (signed ? 1 : 0);
        long highest = bits > 62 ? Long.MAX_VALUE : (1L << bits) - 1;
        long lowest = signed ? -highest - 1 : 0;
        return (value, out) -> {
            long number = ((Number) value).longValue();
            if (number < lowest || number > highest) {
                throw new RejectedException(path + " is " + number + ", which does not fit " + name);
            }
            switch (width) {
                case 1 -> out.int8((int) number);
                case 2 -> out.int16((int) number);
                case 4 -> out.int32((int) number);
                default -> out.int64(number);
            }
        };
    }

    /** Returns an encoder that writes the names of an enum's values as their numbers. */
    private static ColumnEncoder symbol(ColumnType to, String path) {
        Map<StringData, Integer> numbers = new HashMap<>();
        for (String element : to.arguments()) {
            int equals = element.lastIndexOf('=');
            String quoted = element.substring(0, equals).strip();
            numbers.put(
                    StringData.fromString(quoted.substring(1, quoted.length() - 1)),
                    Integer.valueOf(element.substring(equals + 1).strip()));
        }
        boolean wide = to.name().equals("Enum16");
        return (value, out) -> {
            Integer number = numbers.get((StringData) value);
            if (number == null) {
                throw new RejectedException(path + " is '" + value + "', which is not a value of the column's " + to.name());
            }
            if (wide) {
                out.int16(number);
            } else {
                out.int8(number);
            }
        };
    }

    private static ColumnEncoder floating(String name) {
        return switch (name) {
            case "Float32" -> (value, out) -> out.int32(Float.floatToRawIntBits(((Number) value).floatValue()));
            case "Float64" -> (value, out) -> out.int64(Double.doubleToRawLongBits(((Number) value).doubleValue()));
            default -> null;
        };
    }

    private static ColumnEncoder decimal(ColumnType to, String path) {
        int precision = to.number(0);
        int scale = to.number(1);
        int width = precision <= 9 ? 4 : precision <= 18 ? 8 : precision <= 38 ? 16 : 32;
        return (value, out) -> {
            BigDecimal exact = ((DecimalData) value).toBigDecimal().stripTrailingZeros();
            if (exact.scale() > scale || exact.precision() - exact.scale() > precision - scale) {
                throw new RejectedException(path + " is " + exact.toPlainString() + ", which does not fit Decimal("
                        + precision + ", " + scale + ")");
            }
            out.integer(exact.setScale(scale).unscaledValue(), width);
        };
    }

    private static ColumnEncoder array(LogicalType elementType, ColumnType to, String path) {
        ColumnEncoder element = of(elementType, to.argument(0), path + "[]");
        var getter = ArrayData.createElementGetter(elementType);
        return (value, out) -> {
            var array = (ArrayData) value;
            out.length(array.size());
            for (int i = 0; i < array.size(); i++) {
                element.write(getter.getElementOrNull(array, i), out);
            }
        };
    }

    private static ColumnEncoder map(MapType type, ColumnType to, String path) {
        ColumnEncoder key = of(type.getKeyType(), to.argument(0), path + " key");
        ColumnEncoder element = of(type.getValueType(), to.argument(1), path + " value");
        var keyGetter = ArrayData.createElementGetter(type.getKeyType());
        var getter = ArrayData.createElementGetter(type.getValueType());
        return (value, out) -> {
            var map = (MapData) value;
            out.length(map.size());
            for (int i = 0; i < map.size(); i++) {
                key.write(keyGetter.getElementOrNull(map.keyArray(), i), out);
                element.write(getter.getElementOrNull(map.valueArray(), i), out);
            }
        };
    }

    private static ColumnEncoder tuple(RowType type, ColumnType to, String path) {
        int size = type.getFieldCount();
        if (size != to.arguments().size()) {
            throw new IllegalStateException(path + ": " + size + " fields can't go into a tuple of "
                    + to.arguments().size());
        }
        var fields = new ColumnEncoder[size];
        var getters = new RowData.FieldGetter[size];
        for (int i = 0; i < size; i++) {
            String name = type.getFieldNames().get(i);
            String theirs = to.elementName(i);
            if (!theirs.isEmpty() && !theirs.equals(name)) {
                throw new IllegalStateException(path + ": field " + (i + 1) + " is " + name
                        + " in Flink and " + theirs + " in ClickHouse");
            }
            fields[i] = of(type.getTypeAt(i), to.element(i), path + "." + name);
            getters[i] = RowData.createFieldGetter(type.getTypeAt(i), i);
        }
        return (value, out) -> {
            for (int i = 0; i < size; i++) {
                fields[i].write(getters[i].getFieldOrNull((RowData) value), out);
            }
        };
    }
}
