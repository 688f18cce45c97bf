package souk.flink.avro;

import java.io.IOException;

/** Reads one value of the writer's schema into Flink's internal form. */
interface ValueReader {
    Object read(RecordInput in) throws IOException;
}
