package souk.flink.avro;

import java.io.IOException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/** Reads the bytes of one record. A wrong length in a record never allocates more memory than the record's size. */
final class RecordInput {
    BinaryDecoder decoder;
    private int bytes;

    void start(byte[] message, int from) {
        bytes = message.length - from;
        decoder = DecoderFactory.get().binaryDecoder(message, from, bytes, decoder);
    }

    byte[] bytes() throws IOException {
        var value = new byte[length(decoder.readLong())];
        decoder.readFixed(value);
        return value;
    }

    /** Returns the claimed length of a string, or number of elements of a block, if the record can hold that many. */
    int length(long claimed) throws IOException {
        if (claimed < 0 || claimed > bytes) {
            throw new IOException("a length of " + claimed + " in a record of " + bytes + " bytes");
        }
        return (int) claimed;
    }
}
