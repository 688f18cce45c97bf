package souk.flink.avro;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import org.apache.avro.AvroTypeException;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Resolver;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.EncoderFactory;
import org.apache.flink.table.data.GenericArrayData;
import org.apache.flink.table.data.GenericMapData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;

/** Builds a tree of {@link ValueReader}s from Avro's resolution of a writer's schema against a reader's. */
final class ValueReaders {
    private ValueReaders() {}

    /** Returns a reader of values with the schema {@code writer}, whose rows have the fields of {@code reader} in order. */
    static ValueReader of(Schema writer, Schema reader) {
        return of(Resolver.resolve(Schema.applyAliases(writer, reader), reader));
    }

    private static ValueReader of(Resolver.Action action) {
        return switch (action.type) {
            case DO_NOTHING, PROMOTE -> primitive(action.writer.getType(), action.reader);
            case CONTAINER -> container((Resolver.Container) action);
            case ENUM -> symbols((Resolver.EnumAdjust) action);
            case RECORD -> record((Resolver.RecordAdjust) action);
            case WRITER_UNION -> writerUnion((Resolver.WriterUnion) action);
            case READER_UNION -> of(((Resolver.ReaderUnion) action).actualAction);
            case SKIP -> in -> {
                GenericDatumReader.skip(action.writer, in.decoder);
                return null;
            };
            case ERROR -> in -> {
                throw new AvroTypeException(action.toString());
            };
        };
    }

    private static ValueReader primitive(Schema.Type from, Schema reader) {
        return switch (reader.getType()) {
            case NULL -> in -> null;
            case BOOLEAN -> in -> in.decoder.readBoolean();
            case INT -> in -> in.decoder.readInt();
            case LONG -> reader.getLogicalType() instanceof LogicalTypes.TimestampMillis
                    ? in -> TimestampData.fromEpochMillis(integer(from, in))
                    : in -> integer(from, in);
            case FLOAT -> in -> (float) number(from, in);
            case DOUBLE -> in -> number(from, in);
            case STRING -> in -> StringData.fromBytes(in.bytes());
            case BYTES -> RecordInput::bytes;
            default -> throw new AvroTypeException("no reader for " + reader);
        };
    }

    private static long integer(Schema.Type from, RecordInput in) throws IOException {
        return from == Schema.Type.INT ? in.decoder.readInt() : in.decoder.readLong();
    }

    private static double number(Schema.Type from, RecordInput in) throws IOException {
        return switch (from) {
            case FLOAT -> in.decoder.readFloat();
            case DOUBLE -> in.decoder.readDouble();
            default -> integer(from, in);
        };
    }

    private static ValueReader symbols(Resolver.EnumAdjust action) {
        var symbols = new StringData[action.adjustments.length];
        for (int i = 0; i < symbols.length; i++) {
            int ours = action.adjustments[i];
            symbols[i] = ours < 0 ? null : StringData.fromString(action.reader.getEnumSymbols().get(ours));
        }
        return in -> {
            int symbol = in.decoder.readEnum();
            if (symbol < 0 || symbol >= symbols.length || symbols[symbol] == null) {
                throw new IOException("no symbol " + symbol + " in the enum " + action.reader.getName());
            }
            return symbols[symbol];
        };
    }

    private static ValueReader writerUnion(Resolver.WriterUnion action) {
        var branches = new ValueReader[action.actions.length];
        for (int i = 0; i < branches.length; i++) {
            branches[i] = of(action.actions[i]);
        }
        return in -> {
            int branch = in.decoder.readIndex();
            if (branch < 0 || branch >= branches.length) {
                throw new IOException("no branch " + branch + " in a union of " + branches.length);
            }
            return branches[branch].read(in);
        };
    }

    private static ValueReader container(Resolver.Container action) {
        ValueReader element = of(action.elementAction);
        if (action.reader.getType() == Schema.Type.ARRAY) {
            return in -> {
                var elements = new ArrayList<Object>();
                for (long n = in.decoder.readArrayStart(); n != 0; n = in.decoder.arrayNext()) {
                    in.length(elements.size() + n);
                    for (long i = 0; i < n; i++) {
                        elements.add(element.read(in));
                    }
                }
                return new GenericArrayData(elements.toArray());
            };
        }
        return in -> {
            var entries = new HashMap<Object, Object>();
            for (long n = in.decoder.readMapStart(); n != 0; n = in.decoder.mapNext()) {
                in.length(n);
                for (long i = 0; i < n; i++) {
                    entries.put(StringData.fromBytes(in.bytes()), element.read(in));
                }
            }
            return new GenericMapData(entries);
        };
    }

    /** Returns a reader of the writer's fields in order; a field that the writer lacks has the reader's default. */
    private static ValueReader record(Resolver.RecordAdjust action) {
        int width = action.readerOrder.length;
        var readers = new ValueReader[action.fieldActions.length];
        var positions = new int[readers.length];
        int next = 0;
        for (int i = 0; i < readers.length; i++) {
            readers[i] = of(action.fieldActions[i]);
            boolean skipped = action.fieldActions[i].type == Resolver.Action.Type.SKIP;
            positions[i] = skipped ? -1 : action.readerOrder[next++].pos();
        }
        var defaults = new Object[width];
        for (int i = action.firstDefault; i < width; i++) {
            defaults[action.readerOrder[i].pos()] = defaultOf(action.readerOrder[i]);
        }
        return in -> {
            var row = new GenericRowData(width);
            for (int i = 0; i < width; i++) {
                row.setField(i, defaults[i]);
            }
            for (int i = 0; i < readers.length; i++) {
                Object value = readers[i].read(in);
                if (positions[i] >= 0) {
                    row.setField(positions[i], value);
                }
            }
            return row;
        };
    }

    /** Returns a field's default in Flink's form, by writing it with Avro and reading it back. */
    private static Object defaultOf(Schema.Field field) {
        try {
            var bytes = new ByteArrayOutputStream();
            var encoder = EncoderFactory.get().binaryEncoder(bytes, null);
            new GenericDatumWriter<>(field.schema()).write(GenericData.get().getDefaultValue(field), encoder);
            encoder.flush();
            var in = new RecordInput();
            in.start(bytes.toByteArray(), 0);
            return of(field.schema(), field.schema()).read(in);
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }
}
