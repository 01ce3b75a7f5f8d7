package io.fleetauth;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * What happens once per request of the program: headers in one crossing, and the words that say
 * whether headers got before are still good.
 */
final class HotPath {
  private static final int STATUS = 0;
  private static final int ERROR = 1;
  private static final int SLOT = 2;
  private static final int GENERATION = 3;
  private static final int WORD = 4;

  /** The generation words, by slab; a slab is there for ever once it exists. */
  private static volatile ByteBuffer[] slabs = new ByteBuffer[0];

  private HotPath() {}

  /** The headers from memory; null when memory has none. */
  static AuthHeaders peek(NativeClient client, NativeRequest request, String method, String url) {
    long[] out = new long[WORD + 1];
    try (Call call = new Call()) {
      byte[] packed =
          peek(call.use(client), call.use(request), Text.utf8(method), Text.utf8(url), out);
      call.error[0] = out[ERROR];
      if (call.checkUnless((int) out[STATUS], Status.WOULD_BLOCK)) {
        return null;
      }
      return new AuthHeaders(packed, out[SLOT], out[GENERATION], (int) out[WORD]);
    }
  }

  /** The headers of a token that was got for a URL. */
  static AuthHeaders headers(NativeToken token) {
    long[] out = new long[WORD + 1];
    try (Call call = new Call()) {
      byte[] packed = headers(call.use(token), out);
      return new AuthHeaders(packed, out[SLOT], out[GENERATION], (int) out[WORD]);
    }
  }

  /** Whether the headers may be handed out again without asking. */
  static boolean isCurrent(AuthHeaders headers) {
    int word = headers.word;
    return word != 0 && word == currentWord(headers.slot);
  }

  private static int currentWord(long slot) {
    ByteBuffer[] known = slabs;
    if (known.length == 0) {
      known = learn(0);
    }
    ByteBuffer first = known[0];
    if (first == null || slot < 0) {
      return 0;
    }
    int perSlab = first.capacity() / Integer.BYTES;
    int slab = (int) (slot / perSlab);
    if (slab >= known.length) {
      known = learn(slab);
    }
    ByteBuffer words = known[slab];
    return words == null ? 0 : words.getInt((int) (slot % perSlab) * Integer.BYTES);
  }

  /** Null buffers mean that headers are never kept: no such slab, or a JVM without such buffers. */
  private static synchronized ByteBuffer[] learn(int last) {
    ByteBuffer[] grown = slabs;
    if (grown.length <= last) {
      grown = Arrays.copyOf(slabs, last + 1);
      for (int i = slabs.length; i < grown.length; i++) {
        ByteBuffer words = NativeToken.slotWords(i);
        grown[i] = words == null ? null : words.asReadOnlyBuffer().order(ByteOrder.nativeOrder());
      }
      slabs = grown;
    }
    return grown;
  }

  /** As fleetauth_client_peek, but answers the packed headers; `out` has the numbers above. */
  private static native byte[] peek(
      long client, long request, byte[] method, byte[] url, long[] out);

  /** The packed headers of a token. */
  private static native byte[] headers(long token, long[] out);
}
