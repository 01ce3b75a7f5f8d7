package io.fleetauth;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
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
  AsyncSigner signer;
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
   * Signs the tokens of a provider whose tokens are made here; the default is the library, with the
   * key it is given. The key stays where it is.
   */
  public final B signer(Signer value) {
    Objects.requireNonNull(value, "signer");
    return asyncSigner(data -> CompletableFuture.completedFuture(value.sign(data)));
  }

  /** As {@link #signer}, without a thread that waits for the signature. */
  public final B asyncSigner(AsyncSigner value) {
    signer = Objects.requireNonNull(value, "signer");
    return set("signer", "host");
  }

  /**
   * Where futures complete, and where transport and signer are called, which may wait for the
   * network. The default is the common pool for futures and a pool of daemon threads for the
   * others.
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
