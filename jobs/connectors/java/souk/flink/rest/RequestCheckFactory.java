package souk.flink.rest;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.io.network.netty.InboundChannelHandlerFactory;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandler;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpServerCodec;

/** Adds the check of {@code Host} and {@code Origin} to Flink's REST server, if {@link #HOSTS} is set. */
public final class RequestCheckFactory implements InboundChannelHandlerFactory {

    public static final ConfigOption<String> HOSTS = ConfigOptions.key("souk.rest.allowed-hosts")
            .stringType()
            .noDefaultValue()
            .withDescription("Host names, separated by commas, for which the REST server answers; unset: any.");

    @Override
    public int priority() {
        return 0;
    }

    @Override
    public Optional<ChannelHandler> createHandler(Configuration configuration, Map<String, String> responseHeaders) {
        return configuration.getOptional(HOSTS).map(hosts -> new Installer(new RequestPolicy(parse(hosts))));
    }

    private static Set<String> parse(String hosts) {
        return Arrays.stream(hosts.split(","))
                .map(host -> host.strip().toLowerCase(Locale.ROOT))
                .filter(host -> !host.isEmpty())
                .collect(Collectors.toUnmodifiableSet());
    }

    /**
     * Puts the check right behind the HTTP codec. Flink adds the handlers of factories too late: after the handler that
     * stores uploaded files.
     */
    private static final class Installer extends ChannelInboundHandlerAdapter {

        private final RequestPolicy policy;

        Installer(RequestPolicy policy) {
            this.policy = policy;
        }

        @Override
        public void handlerAdded(ChannelHandlerContext context) {
            String codec = context.pipeline().context(HttpServerCodec.class).name();
            context.pipeline().addAfter(codec, null, new RequestCheck(policy));
            context.pipeline().remove(this);
        }
    }
}
