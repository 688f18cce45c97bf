package souk.flink.common;

/** A row or record that can never be processed; it goes to the dead-letter topic with the message as the reason. */
public final class RejectedException extends Exception {
    private static final long serialVersionUID = 1;

    public RejectedException(String message) {
        super(message);
    }

    public RejectedException(String message, Throwable cause) {
        super(message, cause);
    }
}
