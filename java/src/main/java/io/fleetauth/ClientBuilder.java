package io.fleetauth;

import java.util.Objects;
import java.util.concurrent.Executor;

/**
 * The options of a client, and what of Java's it works with. For one client and one thread.
 *
 * @param <B> the builder that the setters return
 */
public abstract class ClientBuilder<B extends ClientBuilder<B>> extends ClientOptions<B> {
  private final Provider provider;
  private final boolean ownsProvider;
  FleetAuthRuntime runtime;
  HttpTransport transport;
  Executor completions = Workers.COMPLETIONS;
  Executor transports = Workers.TRANSPORTS;

  ClientBuilder(Provider provider) {
    this.provider = Objects.requireNonNull(provider, "provider");
    ownsProvider = false;
  }

  ClientBuilder(String builtin) {
    provider = Provider.builtin(builtin);
    ownsProvider = true;
  }

  /** The engine to use; the default is the one that the process shares. */
  public final B runtime(FleetAuthRuntime value) {
    runtime = Objects.requireNonNull(value, "runtime");
    return self();
  }

  /** Sends the token requests; the default is the library's own transport. */
  public final B transport(HttpTransport value) {
    transport = Objects.requireNonNull(value, "transport");
    return set("transport", "host");
  }

  /**
   * Where futures complete and the transport is called, which waits for the network. The default is
   * the common pool for futures and a pool of daemon threads for the transport.
   */
  public final B executor(Executor value) {
    completions = Objects.requireNonNull(value, "executor");
    transports = value;
    return self();
  }

  /** Makes the client. Nothing is sent. */
  public abstract FleetAuthClient build();

  final NativeClient create() {
    NativeRuntime engine = (runtime == null ? FleetAuthRuntime.shared() : runtime).handle();
    NativeClient client = NativeClient.create(engine, provider.handle(), options());
    used();
    if (ownsProvider) {
      provider.close();
    }
    return client;
  }
}
