package souk.flink.common;

/** The other side can't take this now but may later: try it again with back-off. */
public final class Unavailable extends Exception {
    private static final long serialVersionUID = 1;

    public Unavailable(String message) {
        super(message);
    }

    public Unavailable(String message, Throwable cause) {
        super(message, cause);
    }
}
