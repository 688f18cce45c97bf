package souk.flink.common;

import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Prints the delays of one FetchPacer: `FetchPacerDelays PACE NOW RECORDS …`, times in milliseconds. */
public final class FetchPacerDelays {
    private FetchPacerDelays() {}

    public static void main(String[] args) {
        var pacer = new FetchPacer();
        pacer.configure(Map.of(FetchPacer.PACE, args[0]));
        long beganNs = System.nanoTime();
        for (int i = 1; i < args.length; i += 2) {
            long nowNs = beganNs + TimeUnit.MILLISECONDS.toNanos(Long.parseLong(args[i]));
            System.out.println(TimeUnit.NANOSECONDS.toMillis(pacer.delayNs(nowNs, Integer.parseInt(args[i + 1]))));
        }
        pacer.close();
    }
}
