package io.fleetauth;

import java.util.Map;

/**
 * What calls of one kind have in common: account, claims, API group, patience. Prepared once, used
 * often; immutable, any thread.
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

    /**
     * The claims the token is for, by their names: those that the claim set takes, or any. Null
     * leaves them as they are.
     *
     * @param ids of each claim its id, or a collection of ids where it is a list
     * @throws ConfigurationException if an id is neither; whether the claims go together is told
     *     when the token is asked for
     */
    public Builder claims(Map<String, ?> ids) {
      return ids == null ? this : set("claims", ClaimsJson.of(ids));
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
