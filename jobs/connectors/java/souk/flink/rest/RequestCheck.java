package souk.flink.rest;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.flink.shaded.netty4.io.netty.buffer.Unpooled;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelFutureListener;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelHandlerContext;
import org.apache.flink.shaded.netty4.io.netty.channel.ChannelInboundHandlerAdapter;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.DefaultFullHttpResponse;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpRequest;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpResponseStatus;
import org.apache.flink.shaded.netty4.io.netty.handler.codec.http.HttpVersion;
import org.apache.flink.shaded.netty4.io.netty.util.ReferenceCountUtil;

/** Answers 403 to requests that the policy refuses, before their body is read, and closes the connection. */
final class RequestCheck extends ChannelInboundHandlerAdapter {

    private final RequestPolicy policy;
    private boolean refused;

    RequestCheck(RequestPolicy policy) {
        this.policy = policy;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        if (!refused && message instanceof HttpRequest request) {
            Optional<String> reason = policy.refusal(request);
            if (reason.isPresent()) {
                refused = true;
                refuse(context, reason.get());
            }
        }
        if (refused) {
            ReferenceCountUtil.release(message);
        } else {
            context.fireChannelRead(message);
        }
    }

    private static void refuse(ChannelHandlerContext context, String reason) {
        String text = reason.replaceAll("[^ -!#-\\[\\]-~]", "?"); // keeps the characters that need no escape in JSON
        byte[] body = ("{\"errors\":[\"Forbidden: " + text + "\"]}").getBytes(StandardCharsets.US_ASCII);
        DefaultFullHttpResponse response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.FORBIDDEN, Unpooled.wrappedBuffer(body));
        response.headers()
                .set("Content-Type", "application/json")
                .set("Content-Length", body.length)
                .set("Connection", "close");
        context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }
}
