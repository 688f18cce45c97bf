package souk.flink.avro;

import java.io.IOException;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;

/** The bytes of one record, read so that a wrong length never asks for more memory than the record has bytes. */
final class Input {
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

    /** Checks the length of a string, or the number of elements of a block. */
    int length(long claimed) throws IOException {
        if (claimed < 0 || claimed > bytes) {
            throw new IOException("a length of " + claimed + " in a record of " + bytes + " bytes");
        }
        return (int) claimed;
    }
}
