package souk.flink.common;

import java.util.concurrent.TimeUnit;

/** Prints the delays of one RequestPacer: `RequestPacerDelays NOW REQUEST LONGEST LONGEST_REST …`, all in milliseconds. */
public final class RequestPacerDelays {
    private RequestPacerDelays() {}

    public static void main(String[] args) {
        var pacer = new RequestPacer();
        long beganNs = System.nanoTime();
        for (int i = 0; i < args.length; i += 4) {
            long nowNs = beganNs + TimeUnit.MILLISECONDS.toNanos(Long.parseLong(args[i]));
            double requestMs = Double.parseDouble(args[i + 1]);
            long waitNs = pacer.delayNs(nowNs, requestMs, Long.parseLong(args[i + 2]), Long.parseLong(args[i + 3]));
            System.out.println(TimeUnit.NANOSECONDS.toMillis(waitNs));
        }
    }
}
