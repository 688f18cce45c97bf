package souk.flink.common;

/** A request that failed and may succeed later; it is retried with back-off. */
public final class RetryableException extends Exception {
    private static final long serialVersionUID = 1;

    public RetryableException(String message) {
        super(message);
    }

    public RetryableException(String message, Throwable cause) {
        super(message, cause);
    }
}
