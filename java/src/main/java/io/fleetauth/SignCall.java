package io.fleetauth;

import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;

/** Bytes to sign with a key of the program's. */
final class SignCall extends HostCall {
  private final NativeSignCall handle;

  SignCall(NativeSignCall handle, Runnable answered, LongConsumer keepsThrown) {
    super(handle, answered, keepsThrown);
    this.handle = handle;
  }

  @Override
  void answer(Hosts hosts) {
    try {
      CompletionStage<byte[]> signature = hosts.signer.sign(handle.data());
      Objects.requireNonNull(signature, "The signer returned null.");
      if (signature instanceof Future) {
        whenCancelled(() -> ((Future<?>) signature).cancel(true));
      }
      signature.whenComplete(this::answer);
    } catch (Throwable failure) {
      fail(failure);
    }
  }

  private void answer(byte[] signature, Throwable failure) {
    if (failure != null) {
      boolean isWrapped = failure instanceof CompletionException && failure.getCause() != null;
      fail(isWrapped ? failure.getCause() : failure);
    } else if (signature == null) {
      fail(new NullPointerException("The signer returned null."));
    } else {
      end(() -> handle.complete(signature));
    }
  }

  @Override
  boolean fail(Throwable thrown) {
    String word = thrown.getClass().getSimpleName();
    return endWith(thrown, id -> handle.fail(Status.CALLBACK.number(), word, id));
  }
}
