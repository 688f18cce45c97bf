package souk.flink.rest;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpHeaders;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpMethod;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpRequest;

/**
 * Decides which requests Flink's REST server answers: requests from programs and from Flink's own pages, sent to one of
 * the given host names.
 *
 * <p>A web page can make a browser send a request to any address of this machine. The browser then sends the page's
 * origin in {@code Origin} and {@code Sec-Fetch-Site}. These headers do not help if the page's own host name resolves to
 * this machine (DNS rebinding), but then {@code Host} contains that name.
 */
public final class RequestPolicy {

    private static final Pattern AUTHORITY =
            Pattern.compile("([a-z0-9_.-]+|\\[[0-9a-f:.]+])(?::[0-9]{1,5})?", Pattern.CASE_INSENSITIVE);

    /** GET requests that cancel or stop a job. They exist for Hadoop YARN's proxy, which this platform does not use. */
    private static final Pattern CHANGES_BY_GET = Pattern.compile(".*/yarn-(?:cancel|stop)/*", Pattern.DOTALL);

    private final Set<String> hosts;

    /** @param hosts host names and addresses in lower case, an IPv6 address in brackets */
    public RequestPolicy(Set<String> hosts) {
        this.hosts = hosts;
    }

    /** Returns why a request is refused; empty if it is answered. */
    public Optional<String> refusal(HttpRequest request) {
        HttpHeaders headers = request.headers();
        List<String> given = headers.getAll("Host");
        if (given.size() != 1 || !isAllowed(given.get(0))) {
            return Optional.of("the host " + given + " is not allowed; allowed are " + hosts);
        }
        String host = given.get(0);
        for (String origin : headers.getAll("Origin")) {
            if (!origin.equalsIgnoreCase("http://" + host) && !origin.equalsIgnoreCase("https://" + host)) {
                return Optional.of("a page of " + origin + " may not send requests");
            }
        }
        String site = headers.get("Sec-Fetch-Site", "none");
        if (!site.equals("none") && !site.equals("same-origin") && !isNavigation(request)) {
            return Optional.of("a page of another site may not send requests");
        }
        if (CHANGES_BY_GET.matcher(path(request.uri())).matches()) {
            return Optional.of("use PATCH /jobs/:jobid to cancel a job");
        }
        return Optional.empty();
    }

    private boolean isAllowed(String authority) {
        Matcher parts = AUTHORITY.matcher(authority);
        return parts.matches() && hosts.contains(parts.group(1).toLowerCase(Locale.ROOT));
    }

    /** Returns whether the request is a navigation to one of Flink's pages, such as by a link. */
    private static boolean isNavigation(HttpRequest request) {
        return request.method().equals(HttpMethod.GET)
                && "navigate".equals(request.headers().get("Sec-Fetch-Mode"))
                && "document".equals(request.headers().get("Sec-Fetch-Dest"));
    }

    /** Returns the path of a request target as Flink's router reads it: decoded, without the query. */
    private static String path(String uri) {
        String path = uri.split("[?#]", 2)[0];
        try {
            return java.net.URLDecoder.decode(path, java.nio.charset.StandardCharsets.UTF_8);
        } catch (IllegalArgumentException malformed) {
            return path;
        }
    }
}
