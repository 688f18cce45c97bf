package souk.flink.clickhouse;

import java.util.ArrayList;
import java.util.List;

/**
 * A ClickHouse type, parsed from the text in {@code system.columns}. {@code LowCardinality} and
 * {@code SimpleAggregateFunction} are replaced by their inner type, as in RowBinary.
 *
 * @param name the type's name, such as {@code DateTime64}
 * @param arguments the arguments in parentheses, such as {@code 3} and {@code 'UTC'}
 * @param nullable whether the type is {@code Nullable}
 */
record ColumnType(String name, List<String> arguments, boolean nullable) {

    static ColumnType parse(String text) {
        int open = text.indexOf('(');
        if (open < 0) {
            return new ColumnType(text.strip(), List.of(), false);
        }
        String name = text.substring(0, open).strip();
        List<String> arguments = split(text.substring(open + 1, text.lastIndexOf(')')));
        return switch (name) {
            case "Nullable" -> {
                ColumnType inner = parse(arguments.get(0));
                yield new ColumnType(inner.name, inner.arguments, true);
            }
            case "LowCardinality" -> parse(arguments.get(0));
            case "SimpleAggregateFunction" -> parse(arguments.get(1));
            default -> new ColumnType(name, arguments, false);
        };
    }

    ColumnType argument(int position) {
        return parse(arguments.get(position));
    }

    int number(int position) {
        return Integer.parseInt(arguments.get(position));
    }

    /** Returns the type of a tuple's element, which may have a name. */
    ColumnType element(int position) {
        String text = arguments.get(position);
        return parse(text.substring(nameEnd(text)));
    }

    /** Returns the name of a tuple's element; empty if it has none. */
    String elementName(int position) {
        String text = arguments.get(position);
        return text.substring(0, nameEnd(text)).strip().replace("`", "");
    }

    private static int nameEnd(String text) {
        int space = text.indexOf(' ');
        int open = text.indexOf('(');
        return space >= 0 && (open < 0 || space < open) ? space : 0;
    }

    /** Splits at the commas outside parentheses and quotes. */
    private static List<String> split(String text) {
        var parts = new ArrayList<String>();
        int depth = 0;
        boolean quoted = false;
        int start = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\'' || c == '`') {
                quoted = !quoted;
            } else if (!quoted && c == '(') {
                depth++;
            } else if (!quoted && c == ')') {
                depth--;
            } else if (!quoted && c == ',' && depth == 0) {
                parts.add(text.substring(start, i).strip());
                start = i + 1;
            }
        }
        parts.add(text.substring(start).strip());
        return parts;
    }
}
