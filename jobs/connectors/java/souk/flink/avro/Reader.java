package souk.flink.avro;

import java.io.IOException;

/** Reads one value of the writer's schema into Flink's internal form. */
interface Reader {
    Object read(Input in) throws IOException;
}
