package io.fleetauth;

/**
 * What calls of one kind have in common: account, API group, patience. Prepared once, used often;
 * immutable, any thread.
 */
public final class PreparedRequest implements AutoCloseable {
  private final NativeRequest handle;

  /**
   * Whether headers got for it serve for it again: not if it asks how long the token still lives.
   */
  final boolean isReusable;

  private PreparedRequest(NativeRequest handle, boolean isReusable) {
    this.handle = handle;
    this.isReusable = isReusable;
  }

  /** The options of a request; for one request. */
  public static final class Builder extends RequestOptions<Builder> {
    private final NativeClient client;

    Builder(NativeClient client) {
      this.client = client;
    }

    /** Makes the request. */
    public PreparedRequest build() {
      NativeRequest request = NativeRequest.create(client, options());
      used();
      return new PreparedRequest(request, !isSet("min_remaining_ms"));
    }
  }

  /** Releases it. */
  @Override
  public void close() {
    handle.dispose();
  }

  NativeRequest handle() {
    return handle;
  }
}
