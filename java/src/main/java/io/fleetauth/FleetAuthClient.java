package io.fleetauth;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.function.Function;

/**
 * A provider with credentials: answers which headers authorise a request. Any thread. Clients with
 * the same configuration share their tokens, and all callers of one token share its fetch.
 *
 * <p>Calls that have no answer in memory wait for the network, at most the client's {@code
 * totalTimeout} or the request's {@code timeout}; an interrupted thread gets a {@link
 * CancelledException} and stays interrupted. The async calls never wait, and fail only through
 * their future.
 *
 * <p>Failures are {@link FleetAuthException}s, whose classes say what to do.
 */
public class FleetAuthClient implements AutoCloseable {
  private static final String GET = "GET";

  private final NativeClient handle;
  private final FleetAuthRuntime runtime;
  private final HostCall.Hosts hosts;
  private final Executor completions;
  private final Executor transports;
  private final HeaderCache cache = new HeaderCache();

  // Of a client with a transport or signer of its own, whom its queues serve; else null.
  private final Pump ownPump;
  private Pump waitingPump;

  FleetAuthClient(ClientBuilder<?> builder) {
    handle = builder.create();
    runtime = builder.runtime == null ? FleetAuthRuntime.shared() : builder.runtime;
    hosts = new HostCall.Hosts(builder.transport, builder.signer);
    completions = builder.completions;
    transports = builder.transports;
    ownPump = hosts.areNone() ? null : newPump(QueueKind.LOOP);
  }

  /** Starts the options of a client for a provider that has no class of its own here. */
  public static Builder builder(Provider provider) {
    return new Builder(provider);
  }

  /** The options of a client; for one client. The provider's parameters are set by their names. */
  public static final class Builder extends ClientBuilder<Builder> {
    private Builder(Provider provider) {
      super(provider);
    }

    /** Makes the client. Nothing is sent. */
    @Override
    public FleetAuthClient build() {
      return new FleetAuthClient(this);
    }
  }

  /** Starts the options that calls of one kind have in common. */
  public final PreparedRequest.Builder request() {
    return new PreparedRequest.Builder(handle);
  }

  // Tokens

  /** The client's token. */
  public final Token token() {
    return token(null, null, null);
  }

  /** The token for a kind of calls. */
  public final Token token(PreparedRequest request) {
    return token(null, null, request);
  }

  /**
   * The token that authorises a request, with its headers. Every argument may be null: no URL means
   * a token without headers, no method GET, no request the client's defaults.
   */
  public final Token token(String url, String method, PreparedRequest request) {
    NativeToken token = peekNative(url, method, raw(request));
    return new Token(
        token != null ? token : await(fetch(url, method, request), NativeEvent::token));
  }

  /** As {@link #token()}, without waiting. */
  public final CompletableFuture<Token> tokenAsync() {
    return tokenAsync(null, null, null);
  }

  /** As {@link #token(PreparedRequest)}, without waiting. */
  public final CompletableFuture<Token> tokenAsync(PreparedRequest request) {
    return tokenAsync(null, null, request);
  }

  /** As {@link #token(String, String, PreparedRequest)}, without waiting. */
  public final CompletableFuture<Token> tokenAsync(
      String url, String method, PreparedRequest request) {
    return async(
        () -> peekToken(url, method, request).orElse(null),
        fetch(url, method, request),
        NativeEvent::token,
        Token::new);
  }

  /** The client's token if memory holds a usable one. */
  public final Optional<Token> peek() {
    return peekToken(null, null, null);
  }

  /** As {@link #token(String, String, PreparedRequest)}, if memory holds a usable one. */
  public final Optional<Token> peekToken(String url, String method, PreparedRequest request) {
    return Optional.ofNullable(peekNative(url, method, raw(request))).map(Token::new);
  }

  // Tokens for claims

  /** As {@link #mint(String, Map)}, for a claim set that takes no ids, such as {@code server}. */
  public final Token mint(String claimSet) {
    return mint(claimSet, null);
  }

  /**
   * The token for a claim set and its ids, where the provider's tokens are for claims. The same
   * claims get the same token until it has to be renewed. What is prepared once with {@link
   * #request} is for headers too.
   *
   * @param claimSet its name, which the provider's class has among its constants; null for claims
   *     alone, or, without any, for the client's own claim set
   * @param ids claims as in {@link PreparedRequest.Builder#claims}; null for none
   * @throws ConfigurationException if these claims do not go together; it names them, never an id
   */
  public final Token mint(String claimSet, Map<String, ?> ids) {
    try (PreparedRequest request = request().claimSet(claimSet).claims(ids).build()) {
      return token(request);
    }
  }

  /** As {@link #mint(String)}, without waiting. */
  public final CompletableFuture<Token> mintAsync(String claimSet) {
    return mintAsync(claimSet, null);
  }

  /** As {@link #mint(String, Map)}, without waiting. */
  public final CompletableFuture<Token> mintAsync(String claimSet, Map<String, ?> ids) {
    try (PreparedRequest request = request().claimSet(claimSet).claims(ids).build()) {
      return tokenAsync(request);
    } catch (RuntimeException failure) {
      return failed(failure);
    }
  }

  // Headers

  /** The headers that authorise a GET of this URL, which must be the provider's. */
  public final AuthHeaders headers(String url) {
    return headers(url, GET, null);
  }

  /** The headers that authorise a request. */
  public final AuthHeaders headers(String url, String method) {
    return headers(url, method, null);
  }

  /** The headers that authorise a request; null for the last means the client's defaults. */
  public final AuthHeaders headers(String url, String method, PreparedRequest request) {
    AuthHeaders ready = headersInMemory(url, method, request);
    if (ready != null) {
      return ready;
    }
    NativeToken token = await(fetch(url, method, request), NativeEvent::token);
    return received(token, url, method, request);
  }

  /** As {@link #headers(String)}, without waiting. */
  public final CompletableFuture<AuthHeaders> headersAsync(String url) {
    return headersAsync(url, GET, null);
  }

  /** As {@link #headers(String, String)}, without waiting. */
  public final CompletableFuture<AuthHeaders> headersAsync(String url, String method) {
    return headersAsync(url, method, null);
  }

  /** As {@link #headers(String, String, PreparedRequest)}, without waiting. */
  public final CompletableFuture<AuthHeaders> headersAsync(
      String url, String method, PreparedRequest request) {
    return async(
        () -> headersInMemory(url, method, request),
        fetch(url, method, request),
        NativeEvent::token,
        token -> received(token, url, method, request));
  }

  /** The headers if memory holds a usable token. */
  public final Optional<AuthHeaders> peek(String url) {
    return peek(url, GET, null);
  }

  /** The headers if memory holds a usable token; null for the last means the client's defaults. */
  public final Optional<AuthHeaders> peek(String url, String method, PreparedRequest request) {
    return Optional.ofNullable(headersInMemory(url, method, request));
  }

  /**
   * Tells with which status the provider refused a request with these headers, and answers whether
   * to get new ones and repeat it once: if the status says that the token is no longer taken (401).
   * Any number of reports of one token cause one renewal.
   *
   * @param date the refusal's Date header: where this machine's clock is wrong, the provider's time
   *     is learned from it; null when there is none
   */
  public final Advice reportRejected(AuthHeaders headers, int httpStatus, String date) {
    return Advice.of(handle.reportRejected(headers.slot, headers.generation, httpStatus, date));
  }

  /** The same without a date. */
  public final Advice reportRejected(AuthHeaders headers, int httpStatus) {
    return reportRejected(headers, httpStatus, null);
  }

  /** As {@link #reportRejected(AuthHeaders, int, String)}, for who sends the token himself. */
  public final Advice reportRejected(Token token, int httpStatus, String date) {
    return Advice.of(handle.reportRejected(token.slot(), token.generation(), httpStatus, date));
  }

  /** The same without a date. */
  public final Advice reportRejected(Token token, int httpStatus) {
    return reportRejected(token, httpStatus, null);
  }

  // Who and for whom

  /** Who the provider takes the client for. Always asks it; not every provider tells. */
  public final Identity whoami() {
    return whoami(null);
  }

  /** As {@link #whoami()}; null means the client's defaults. */
  public final Identity whoami(PreparedRequest request) {
    return Identity.of(await(inquiry(Inquiry.IDENTITY, request), NativeEvent::identity));
  }

  /** As {@link #whoami()}, without waiting. */
  public final CompletableFuture<Identity> whoamiAsync() {
    return whoamiAsync(null);
  }

  /** As {@link #whoami(PreparedRequest)}, without waiting. */
  public final CompletableFuture<Identity> whoamiAsync(PreparedRequest request) {
    return async(
        () -> null, inquiry(Inquiry.IDENTITY, request), NativeEvent::identity, Identity::of);
  }

  /** The accounts that the client may act for. Always asks the provider; not every one tells. */
  public final List<Account> accounts() {
    return accounts(null);
  }

  /** As {@link #accounts()}; null means the client's defaults. */
  public final List<Account> accounts(PreparedRequest request) {
    return Account.listOf(await(inquiry(Inquiry.ACCOUNTS, request), NativeEvent::accounts));
  }

  /** As {@link #accounts()}, without waiting. */
  public final CompletableFuture<List<Account>> accountsAsync() {
    return accountsAsync(null);
  }

  /** As {@link #accounts(PreparedRequest)}, without waiting. */
  public final CompletableFuture<List<Account>> accountsAsync(PreparedRequest request) {
    return async(
        () -> null, inquiry(Inquiry.ACCOUNTS, request), NativeEvent::accounts, Account::listOf);
  }

  // One-time codes and logout

  /**
   * Logs in by answering a challenge with a one-time code, which is sent once, whatever happens to
   * the answer. After {@link Status#OTP_REJECTED} the challenge can be answered again.
   *
   * @param challenge of a {@link Status#OTP_REQUIRED}, see {@link FleetAuthException#challenge}
   */
  public final Token answer(Challenge challenge, String code) {
    return answerAndWipe(challenge, Text.utf8(code));
  }

  /** As {@link #answer(Challenge, String)}; the array can be wiped afterwards. */
  public final Token answer(Challenge challenge, char[] code) {
    return answerAndWipe(challenge, Text.utf8(code));
  }

  /** As {@link #answer(Challenge, String)}; the array can be wiped afterwards. */
  public final Token answer(Challenge challenge, byte[] code) {
    return new Token(await(reply(challenge, code), NativeEvent::token));
  }

  /** As {@link #answer(Challenge, String)}, without waiting. */
  public final CompletableFuture<Token> answerAsync(Challenge challenge, String code) {
    return answerAsyncAndWipe(challenge, Text.utf8(code));
  }

  /** As {@link #answer(Challenge, char[])}, without waiting. */
  public final CompletableFuture<Token> answerAsync(Challenge challenge, char[] code) {
    return answerAsyncAndWipe(challenge, Text.utf8(code));
  }

  /** As {@link #answer(Challenge, byte[])}, without waiting; the array can be wiped at once. */
  public final CompletableFuture<Token> answerAsync(Challenge challenge, byte[] code) {
    return async(() -> null, reply(challenge, code), NativeEvent::token, Token::new);
  }

  /**
   * The challenge as bytes that can be kept and opened elsewhere, encrypted with AES-256-GCM. Only
   * a client of the same provider with the same parameters, secrets aside, can open them.
   *
   * @param key 32 bytes
   */
  public final byte[] sealChallenge(Challenge challenge, byte[] key) {
    Objects.requireNonNull(challenge, "challenge");
    Objects.requireNonNull(key, "key");
    NativeBlob sealed = handle.sealChallenge(challenge.handle(), key);
    try {
      return sealed.bytes();
    } finally {
      sealed.dispose();
    }
  }

  /** What {@link #sealChallenge} made, with the same key. */
  public final Challenge openChallenge(byte[] sealed, byte[] key) {
    Objects.requireNonNull(sealed, "sealed");
    Objects.requireNonNull(key, "key");
    return new Challenge(handle.openChallenge(sealed, key));
  }

  /**
   * Forgets the client's tokens, logins and challenges, then has the provider revoke what it can
   * revoke; they are forgotten even if that fails. The next token is a new login.
   */
  public final void logout() {
    await(this::startLogout, FleetAuthClient::loggedOut);
  }

  /** As {@link #logout()}, without waiting. */
  public final CompletableFuture<Void> logoutAsync() {
    return async(() -> null, this::startLogout, FleetAuthClient::loggedOut, nothing -> null);
  }

  /** Fails what is in flight and forgets the credentials. Never waits; again is harmless. */
  @Override
  public final void close() {
    try {
      handle.close();
    } catch (ClosedException closedBefore) {
      return;
    }
    handle.dispose();
    cache.close();
    synchronized (this) {
      if (ownPump != null) {
        ownPump.stop();
      }
      if (waitingPump != null) {
        waitingPump.stop();
      }
    }
  }

  @Override
  public String toString() {
    return getClass().getSimpleName() + "@" + Integer.toHexString(hashCode());
  }

  private NativeToken peekNative(String url, String method, NativeRequest request) {
    try (Call call = new Call()) {
      int status =
          FleetauthJNI.fleetauth_client_peek(
              call.use(handle),
              call.use(request),
              Text.utf8(method),
              Text.utf8(url),
              call.handle,
              call.error);
      boolean wouldBlock = call.checkUnless(status, Status.WOULD_BLOCK);
      return wouldBlock ? null : new NativeToken(call.handle[0]);
    }
  }

  private AuthHeaders headersInMemory(String url, String method, PreparedRequest request) {
    Objects.requireNonNull(url, "url");
    Objects.requireNonNull(method, "method");
    AuthHeaders ready = cache.get(method, url, request);
    if (ready == null) {
      ready = HotPath.peek(handle, raw(request), method, url);
      if (ready != null) {
        cache.put(method, url, request, ready);
      }
    }
    return ready;
  }

  private AuthHeaders received(
      NativeToken token, String url, String method, PreparedRequest request) {
    try {
      AuthHeaders headers = HotPath.headers(token);
      cache.put(method, url, request, headers);
      return headers;
    } finally {
      token.dispose();
    }
  }

  // How operations start, and the outcome of the one that has no result

  private Pump.Starter fetch(String url, String method, PreparedRequest request) {
    return (queue, tag) -> handle.start(raw(request), method, url, queue, tag);
  }

  private Pump.Starter inquiry(Inquiry what, PreparedRequest request) {
    return (queue, tag) -> handle.inquire(raw(request), what.number(), queue, tag);
  }

  private Pump.Starter reply(Challenge challenge, byte[] code) {
    return (queue, tag) -> {
      Objects.requireNonNull(challenge, "challenge");
      Objects.requireNonNull(code, "code");
      return handle.answer(challenge.handle(), code, queue, tag);
    };
  }

  private NativeOp startLogout(NativeQueue queue, long tag) {
    NativeOp op = handle.logout(queue, tag);
    cache.clear();
    return op;
  }

  private static NativeHandle loggedOut(NativeEvent event) {
    event.result();
    return null;
  }

  private Token answerAndWipe(Challenge challenge, byte[] code) {
    try {
      return answer(challenge, code);
    } finally {
      Text.wipe(code);
    }
  }

  private CompletableFuture<Token> answerAsyncAndWipe(Challenge challenge, byte[] code) {
    try {
      return answerAsync(challenge, code);
    } finally {
      Text.wipe(code);
    }
  }

  /** What may be in memory. Null if it is not. */
  private interface Memory<T> {
    T get();
  }

  private <H extends NativeHandle, T> CompletableFuture<T> async(
      Memory<T> memory,
      Pump.Starter starter,
      Function<NativeEvent, H> outcome,
      Function<H, T> result) {
    try {
      T ready = memory.get();
      if (ready != null) {
        return CompletableFuture.completedFuture(ready);
      }
      Pump pump = ownPump == null ? runtime.pump() : ownPump;
      return new Operation<>(pump, completions, outcome, result).start(handle, starter);
    } catch (RuntimeException failure) {
      return failed(failure);
    }
  }

  private static <T> CompletableFuture<T> failed(RuntimeException failure) {
    CompletableFuture<T> failed = new CompletableFuture<>();
    failed.completeExceptionally(failure);
    return failed;
  }

  /** Waits for an operation. Its event is read by this thread, whose stack an exception shows. */
  private <H> H await(Pump.Starter starter, Function<NativeEvent, H> outcome) {
    CompletableFuture<NativeEvent> arrived = new CompletableFuture<>();
    Pump pump = ownPump == null ? runtime.pump() : waitingPump();
    NativeOp op =
        pump.start(
            handle,
            starter,
            event -> {
              if (!arrived.complete(event) && event != null) {
                event.dispose();
              }
            });
    try {
      NativeEvent event = arrived.get();
      if (event == null) {
        throw Status.CLOSED.exception(ErrorDetails.of(Status.CLOSED, "The client is closed."));
      }
      try {
        return outcome.apply(event);
      } finally {
        event.dispose();
      }
    } catch (InterruptedException interrupted) {
      giveUp(op, arrived);
      Thread.currentThread().interrupt();
      throw Status.CANCELLED.exception(
          ErrorDetails.of(Status.CANCELLED, "The thread was interrupted while it waited."));
    } catch (ExecutionException impossible) {
      throw new IllegalStateException(impossible);
    } finally {
      op.dispose();
    }
  }

  private static void giveUp(NativeOp op, CompletableFuture<NativeEvent> arrived) {
    op.cancel();
    if (!arrived.cancel(false)) {
      NativeEvent late = arrived.getNow(null);
      if (late != null) {
        late.dispose();
      }
    }
  }

  /**
   * The queue of blocking calls. It is apart from the other because starting a call on it tells the
   * library that this thread will wait, which fails when the thread is the one that must answer.
   */
  private synchronized Pump waitingPump() {
    if (waitingPump == null) {
      waitingPump = newPump(QueueKind.SYNC);
    }
    return waitingPump;
  }

  private Pump newPump(QueueKind kind) {
    Pump pump = new Pump(runtime.handle(), kind, hosts, transports);
    if (kind == QueueKind.LOOP) {
      pump.serve(handle);
    }
    return pump;
  }

  private static NativeRequest raw(PreparedRequest request) {
    return request == null ? null : request.handle();
  }
}
