package io.fleetauth;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;

/** Ready headers by exact method, URL and request. A word of the library says if they are good. */
final class HeaderCache {
  private static final int LIMIT = 1024;

  private final Map<Object, AuthHeaders> entries = new ConcurrentHashMap<>();
  private volatile boolean isClosed;

  AuthHeaders get(String method, String url, PreparedRequest request) {
    AuthHeaders headers = entries.get(key(method, url, request));
    return headers != null && HotPath.isCurrent(headers) ? headers : null;
  }

  void put(String method, String url, PreparedRequest request, AuthHeaders headers) {
    boolean mayKeep = headers.word != 0 && (request == null || request.isReusable);
    if (!mayKeep) {
      return;
    }
    if (entries.size() >= LIMIT) {
      entries.clear();
    }
    entries.put(key(method, url, request), headers);
    if (isClosed) {
      entries.clear();
    }
  }

  void clear() {
    entries.clear();
  }

  void close() {
    isClosed = true;
    clear();
  }

  private static Object key(String method, String url, PreparedRequest request) {
    return request == null && method.equals("GET") ? url : new Key(method, url, request);
  }

  private static final class Key {
    private final String method;
    private final String url;
    private final PreparedRequest request;

    Key(String method, String url, PreparedRequest request) {
      this.method = method;
      this.url = url;
      this.request = request;
    }

    @Override
    public boolean equals(Object other) {
      if (!(other instanceof Key)) {
        return false;
      }
      Key key = (Key) other;
      return request == key.request && method.equals(key.method) && url.equals(key.url);
    }

    @Override
    public int hashCode() {
      return Objects.hash(method, url, System.identityHashCode(request));
    }
  }
}
